"""Ten kinds of question about a scene, asked only where a careful viewer is sure.

Knows which margins a question needs and how truths are balanced. Leaves words to wordings.py and
judging a free answer to scoring.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scissor.scenes.dice import Dice
from scissor.scenes.library import Library
from scissor.scenes.scene import COLOURS, MOTIONS, Actor, Scene, sample_scene
from scissor.scenes.wordings import TEXTS, answer, word_in

KINDS = (
    "list",
    "describe",
    "count",
    "exist",
    "motion",
    "where",
    "colour",
    "later",
    "gone",
    "largest",
)
CORNERS = ("top left", "top right", "bottom left", "bottom right")
MIDDLE = 0.12  # a thing this near the middle line has no corner
LARGER = 1.3  # the largest thing's area over the next one's, by box, by outline, and as seen
EXAM_WORDINGS = 3  # the evaluation uses the first wordings of each kind, training all


@dataclass(frozen=True)
class Question:
    """truth: what scoring.py judges by: names, (name, motion) pairs, a number, a bool or a word.

    about: the name that is asked for, if any. answer: a good answer in full.
    """

    kind: str
    text: str
    answer: str
    truth: Any
    about: str | None = None

    def as_dict(self) -> dict:
        """Plain JSON types."""
        return asdict(self)


Found = tuple[Any, str | None]


def _list(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    return [([actor.name for actor in _told(scene)], None)]


def _describe(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    return [([[actor.name, actor.motion] for actor in _told(scene)], None)]


def _told(scene: Scene) -> list[Actor]:
    """In the order in which a person would tell: as they appear, from left to right."""
    return sorted(scene.actors, key=lambda actor: (actor.enter, actor.start[0], actor.name))


def _count(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    sure = all(library.words[actor.name].single for actor in scene.actors)
    return [(len(scene.actors), None)] if sure else []


def could_be_said(scene: Scene, library: Library) -> set[str]:
    """Names of what a scene shows, of what that could be taken for, and of what its place shows."""
    near = set().union(*(library.enemies[actor.name] for actor in scene.actors))
    if scene.background is not None:
        near |= library.shown.get(library.backgrounds[scene.background].scene, frozenset())
    return near


def _exist(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    names = [actor.name for actor in scene.actors]
    near = could_be_said(scene, library)
    others = [name for name in library.by_name if name not in near]
    topics = {library.words[name].topic for name in names}
    like = [name for name in others if library.words[name].topic in topics]
    absent = rng.choice(like if like and rng.chance(0.5) else others)
    return [(True, rng.choice(names)), (False, absent)]


def _motion(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    return [(actor.motion, actor.name) for actor in scene.actors]


def _where(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    found: list[Found] = []
    for actor in scene.actors:
        x, y = actor.start
        if actor.motion == "still" and min(abs(x - 0.5), abs(y - 0.5)) >= MIDDLE:
            found.append((CORNERS[2 * (y > 0.5) + (x > 0.5)], actor.name))
    return found


def _colour(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    return [(scene.colour, None)] if scene.colour else []


def _later(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    names = [actor.name for actor in scene.actors if actor.enter > 0]
    return [(names[0], None)] if len(names) == 1 else []


def _gone(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    names = [actor.name for actor in scene.actors if actor.leave < 1]
    return [(names[0], None)] if len(names) == 1 else []


def _largest(scene: Scene, library: Library, rng: Dice) -> list[Found]:
    if len(scene.actors) < 2:
        return []
    boxes = [actor.size[0] * actor.size[1] for actor in scene.actors]
    drawn = [b * library.pictures[a.picture].fill for b, a in zip(boxes, scene.actors, strict=True)]
    seen = [
        area * sum(parts) / sum(part > 0 for part in parts)
        for area, parts in zip(drawn, zip(*scene.free.values(), strict=True), strict=True)
    ]
    best = max(range(len(boxes)), key=seen.__getitem__)
    sure = all(
        areas[best] >= LARGER * area
        for areas in (boxes, drawn, seen)
        for i, area in enumerate(areas)
        if i != best
    )
    return [(scene.actors[best].name, None)] if sure else []


_FINDERS: dict[str, Callable[[Scene, Library, Dice], list[Found]]] = {
    "list": _list,
    "describe": _describe,
    "count": _count,
    "exist": _exist,
    "motion": _motion,
    "where": _where,
    "colour": _colour,
    "later": _later,
    "gone": _gone,
    "largest": _largest,
}
TARGETS: dict[str, tuple] = {
    "count": (1, 2, 3, 4),
    "exist": (True, False),
    "motion": MOTIONS,
    "where": CORNERS,
    "colour": tuple(COLOURS),
}


def ask(
    kind: str,
    scene: Scene,
    library: Library,
    rng: Dice,
    *,
    target: Any = None,
    wordings: int | None = None,
) -> Question | None:
    """A question of a kind, or None where the scene gives no sure one.

    target: the truth it must have. wordings: how many of the kind's wordings are used (all).
    """
    found = _FINDERS[kind](scene, library, rng)
    if target is not None:
        found = [row for row in found if row[0] == target]
    if not found:
        return None
    truth, about = rng.choice(found)
    text = rng.choice(TEXTS[kind][:wordings])
    if about:
        text = word_in(text, library.words[about])
    return Question(kind, text, answer(kind, truth, about, library), truth, about)


def sample_clip(
    rng: Dice,
    library: Library,
    kinds: tuple[str, ...],
    *,
    targets: Mapping[str, Any] | None = None,
    wordings: int | None = None,
) -> tuple[Scene, list[Question]]:
    """A scene about which one question of each kind can be asked.

    targets: truths that are wanted, by kind; the others of TARGETS are drawn evenly. A count that
    the other questions leave no room for is raised.
    """
    drawn = {kind: rng.choice(TARGETS[kind]) for kind in kinds if kind in TARGETS}
    targets = drawn | dict(targets or {})
    motions = [targets["motion"]] if "motion" in targets else []
    motions += ["still"] if "where" in targets and "still" not in motions else []
    least = max(len(motions), 1 + ("largest" in kinds or "later" in kinds or "gone" in kinds))
    number = targets.get("count")
    if number is not None and number < least:
        number = targets["count"] = least + rng.below(5 - least)
    while True:
        scene = sample_scene(
            rng,
            library,
            actors=number or least + rng.below(5 - least),
            plain=targets.get("colour", rng.chance(0.15)),
            late="later" in kinds or None,
            gone="gone" in kinds or None,
            motions=tuple(motions),
        )
        asked = [
            ask(kind, scene, library, rng, target=targets.get(kind), wordings=wordings)
            for kind in kinds
        ]
        if all(asked):
            return scene, asked
