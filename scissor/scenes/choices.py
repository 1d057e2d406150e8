"""Four options for a question of the evaluation: the truth and three others.

Knows which kinds of question allow it and what else could be said. Leaves how a model chooses to
bench/choosing.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scissor.scenes.dice import Dice
from scissor.scenes.exam import Clip
from scissor.scenes.library import Library
from scissor.scenes.questions import KINDS, TARGETS, Question, could_be_said
from scissor.scenes.scene import Scene
from scissor.scenes.wordings import answer

SEED = 4
OPTIONS = 4
NAMED = ("later", "gone", "largest")
CHOSEN = tuple(kind for kind in KINDS if kind in (*NAMED, "count", "motion", "where", "colour"))
"""The kinds that allow it: yes or no has two answers, lists and descriptions have too many."""


@dataclass(frozen=True)
class Choice:
    """A question and what can be said to it, each a good answer's full text; one is right."""

    question: Question
    options: tuple[str, ...]
    right: int

    def as_dict(self) -> dict:
        """Plain JSON types."""
        return asdict(self)


def choices(clip: Clip, library: Library, seed: int = SEED) -> list[Choice]:
    """The clip's questions that allow it, in their order; the options stand in any order."""
    found = []
    for number, question in enumerate(clip.questions):
        if question.kind in CHOSEN:
            rng = Dice(seed, clip.index, number)
            others = _others(question, clip.scene, library, rng)
            values = rng.shuffled([question.truth, *others])
            texts = [answer(question.kind, v, question.about, library) for v in values]
            found.append(Choice(question, tuple(texts), values.index(question.truth)))
    return found


def _others(question: Question, scene: Scene, library: Library, rng: Dice) -> Sequence[Any]:
    """Three wrong values. Of a closed set any: each of them is right somewhere."""
    if question.kind not in NAMED:
        rest = [value for value in TARGETS[question.kind] if value != question.truth]
        return rng.shuffled(rest)[: OPTIONS - 1]
    return _names(question.truth, scene, library, rng)


def _names(truth: str, scene: Scene, library: Library, rng: Dice) -> list[str]:
    """The other things of the scene, then names of what could be taken for none of them."""
    shown = [actor.name for actor in scene.actors]
    others = rng.shuffled([name for name in shown if name != truth])[: OPTIONS - 1]
    near = could_be_said(scene, library)
    while len(others) < OPTIONS - 1:
        name = rng.choice([name for name in library.by_name if name not in near])
        others.append(name)
        near |= library.enemies[name]
    return others


def fingerprint(asked: Iterable[Choice]) -> str:
    """SHA-256 of all questions, options and truths."""
    told = json.dumps([choice.as_dict() for choice in asked], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
