"""The evaluation: fixed clips and questions, the same for ever.

Knows its seed, size and balance. Leaves drawing scenes and questions to scene.py and questions.py,
asking a model to bench/accuracy.py.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from scissor.scenes.dice import Dice
from scissor.scenes.library import Library, exam_library
from scissor.scenes.questions import EXAM_WORDINGS, KINDS, TARGETS, Question, sample_clip
from scissor.scenes.scene import Scene

SEED = 2506_21862
CLIPS = 600


@dataclass(frozen=True)
class Clip:
    """One clip of the evaluation and the two questions asked about it."""

    index: int
    scene: Scene
    questions: tuple[Question, ...]


def kinds_of(index: int) -> tuple[str, str]:
    """Two different kinds; each ordered pair comes once in 90 clips."""
    first = index % 10
    return KINDS[first], KINDS[(first + 1 + (index // 10) % 9) % 10]


def make_clip(index: int, library: Library | None = None, seed: int = SEED) -> Clip:
    """Clip number `index`, by itself: it depends on no other."""
    library = library or exam_library()
    kinds, turn = kinds_of(index), index // 10
    turns = zip(kinds, (turn, 3 * turn + 1), strict=True)
    targets = {k: TARGETS[k][n % len(TARGETS[k])] for k, n in turns if k in TARGETS}
    scene, questions = sample_clip(
        Dice(seed, index), library, kinds, targets=targets, wordings=EXAM_WORDINGS
    )
    return Clip(index, scene, tuple(questions))


def exam(clips: int = CLIPS, library: Library | None = None, seed: int = SEED) -> list[Clip]:
    """The first clips of the evaluation; 1,200 questions for all 600, 120 of each kind."""
    return [make_clip(index, library, seed) for index in range(clips)]


def fingerprint(clips: list[Clip], library: Library | None = None) -> str:
    """SHA-256 of everything that is shown and asked, pictures by file name."""
    library = library or exam_library()
    told = [
        {
            "scene": clip.scene.as_dict(),
            "files": [library.pictures[actor.picture].file for actor in clip.scene.actors],
            "questions": [question.as_dict() for question in clip.questions],
        }
        for clip in clips
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
