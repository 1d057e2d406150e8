"""A scene: which things stand or move where and when, as plain data, and how one is drawn by lot.

Knows geometry in fractions of a square frame and time in fractions of the clip, so a scene is the
same at any number of frames from 4 up. Leaves pixels to render.py and questions to questions.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from scissor.scenes.dice import Dice
from scissor.scenes.library import Library, Picture

COLOURS = {
    "red": (205, 35, 40),
    "green": (45, 155, 65),
    "blue": (45, 85, 205),
    "yellow": (245, 215, 50),
    "pink": (250, 150, 195),
    "purple": (125, 60, 170),
    "brown": (120, 75, 40),
    "grey": (140, 140, 140),
    "black": (18, 18, 18),
    "white": (245, 245, 245),
}
MOTIONS = ("still", "left", "right", "up", "down")
STEP = {"still": (0, 0), "left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
FRAME_COUNTS = (4, 8, 16, 32)
MOST_ACTORS = 4
# By number of actors, the range of a thing's longest side.
SIDES = {1: (0.3, 0.55), 2: (0.26, 0.46), 3: (0.24, 0.4), 4: (0.22, 0.35)}
LEAST_WIDTH, LEAST_HEIGHT = 0.15, 0.12
SEEN = 0.6  # at least this part of a thing's box is free in every frame where it is
TRAVEL = 0.25  # a moving thing goes at least so far between its first and last frame
CONTRAST = 80  # between a thing's mean colour and a plain background, Euclidean RGB


@dataclass(frozen=True)
class Actor:
    """One thing. size: (width, height). start, end: its centre at `enter` and at `leave`.

    picture: index into the library. All lengths are fractions of the frame, times of the clip.
    It is there at times enter <= t <= leave and moves at constant speed.
    """

    picture: int
    name: str
    size: tuple[float, float]
    start: tuple[float, float]
    end: tuple[float, float]
    motion: str
    enter: float = 0.0
    leave: float = 1.0

    def box(self, time: float) -> tuple[float, float, float, float] | None:
        """(left, top, right, bottom) at a time, None while it is not there."""
        if not self.enter <= time <= self.leave:
            return None
        part = (time - self.enter) / (self.leave - self.enter)
        x, y = (a + (b - a) * part for a, b in zip(self.start, self.end, strict=True))
        w, h = self.size
        return x - w / 2, y - h / 2, x + w / 2, y + h / 2


@dataclass(frozen=True)
class Scene:
    """Actors before a background; later actors stand in front of earlier ones.

    background: index into the library, or None for the plain colour `rgb`, whose name is `colour`.
    pan: where the frame's corner stands in the background's spare room, (x, y) fractions of it at
    the clip's start and end.
    """

    actors: tuple[Actor, ...]
    background: int | None = None
    pan: tuple[tuple[float, float], tuple[float, float]] = ((0.5, 0.5), (0.5, 0.5))
    colour: str | None = None
    rgb: tuple[int, int, int] | None = None

    def as_dict(self) -> dict:
        """Plain JSON types."""
        return asdict(self)

    @cached_property
    def free(self) -> dict[float, tuple[float, ...]]:
        """At every time that some number of frames shows: the free part of each actor's box.

        0 while it is not there; occlusion is by boxes, so the true part is at least this.
        """
        return {time: free_parts(self, time) for time in ALL_TIMES}


def frame_times(frames: int) -> tuple[float, ...]:
    """Clip times of uniformly sampled frames, both ends among them; 0.5 for a single one."""
    return tuple(k / (frames - 1) for k in range(frames)) if frames > 1 else (0.5,)


ALL_TIMES = tuple(sorted({time for count in FRAME_COUNTS for time in frame_times(count)}))
_TIMES = np.array(ALL_TIMES)


def free_parts(scene: Scene, time: float) -> tuple[float, ...]:
    """The part of each actor's box that no later actor's box covers."""
    boxes = [actor.box(time) for actor in scene.actors]
    return tuple(
        0.0 if box is None else 1 - _covered(box, [b for b in boxes[i + 1 :] if b])
        for i, box in enumerate(boxes)
    )


def _covered(box: tuple, others: list[tuple]) -> float:
    """Part of a box under the union of others: inclusion and exclusion, they are at most three."""
    area = _area(box)
    total, layer = 0.0, [(box, -1, 1)]
    while layer:
        grown = []
        for part, last, sign in layer:
            for j in range(last + 1, len(others)):
                common = _overlap(part, others[j])
                if common:
                    total += sign * _area(common)
                    grown.append((common, j, -sign))
        layer = grown
    return total / area


def _overlap(a: tuple, b: tuple) -> tuple | None:
    left, top, right, bottom = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _area(box: tuple) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def sample_scene(
    rng: Dice,
    library: Library,
    *,
    actors: int | None = None,
    plain: bool | str | None = None,
    late: bool | None = None,
    gone: bool | None = None,
    motions: tuple[str, ...] = (),
) -> Scene:
    """Draws a scene that a careful viewer sees completely at 4 to 32 frames.

    plain: a plain background (None: 30%), or the name of its colour. late, gone: one actor appears
    in the middle, one leaves (None: 40% where there are two actors or more). motions: what some
    actors must do, the others move by lot. Names never repeat, nor can be mixed up. Raises
    ValueError for more than 4 actors, or fewer than the wishes need.
    """
    count = actors or 1 + rng.below(MOST_ACTORS)
    wishes = max(len(motions), bool(late) + bool(gone))
    if not wishes <= count <= MOST_ACTORS:
        raise ValueError(f"{count} actors cannot fulfil what is asked for")
    spans = [(0.0, 1.0)] * count
    if late if late is not None else count > 1 and rng.chance(0.4):
        spans[0] = (rng.between(0.4, 0.6), 1.0)
    if gone if gone is not None else count > 1 and rng.chance(0.4):
        spans[-1] = (0.0, rng.between(0.4, 0.6))
    moves = rng.shuffled([*motions, *(_motion(rng) for _ in range(count - len(motions)))])
    spans, plain = rng.shuffled(spans), rng.chance(0.3) if plain is None else plain
    while True:
        base = sample_background(rng, library, plain)
        pictures = _cast(rng, library, base, count)
        placed = _stage(rng, library, list(zip(pictures, moves, spans, strict=True)))
        if placed:
            return Scene(tuple(placed), **base)


def _stage(
    rng: Dice, library: Library, roles: list[tuple[int, str, tuple[float, float]]]
) -> list[Actor] | None:
    """Places one actor after another; None if one finds no room in 40 tries."""
    placed: list[tuple[Actor, np.ndarray]] = []
    for role in roles:
        for _ in range(40):
            actor = _place(rng, library, *role, len(roles))
            if actor and _clear([*placed, (actor, track := _track(actor))]):
                placed.append((actor, track))
                break
        else:
            return None
    return [actor for actor, _ in placed]


def sample_background(rng: Dice, library: Library, plain: bool | str) -> dict:
    """A scene's fields for a place with its pan, or for a plain colour (its name, or any)."""
    if plain or not library.backgrounds:
        colour = plain if isinstance(plain, str) else rng.choice(list(COLOURS))
        rgb = tuple(min(255, max(0, c - 12 + rng.below(25))) for c in COLOURS[colour])
        return {"colour": colour, "rgb": rgb}
    x, y = rng.between(0, 0.88), rng.between(0, 0.4)
    pan = ((x, y), (x + rng.between(0, 0.12), y + rng.between(0, 0.6)))
    return {
        "background": rng.below(len(library.backgrounds)),
        "pan": pan if rng.chance(0.5) else pan[::-1],
    }


def _cast(rng: Dice, library: Library, base: dict, count: int) -> list[int]:
    """Pictures whose names fit together and, on a plain colour, stand out."""
    taken: set[str] = set()
    if "background" in base:
        scene = library.backgrounds[base["background"]].scene
        taken |= library.shown.get(scene, frozenset())
    names, chosen = list(library.by_name), []
    while len(chosen) < count:
        name = rng.choice(names)
        if name in taken:
            continue
        picture = rng.choice(library.by_name[name])
        if "rgb" in base and not stands_out(library.pictures[picture], base["rgb"]):
            continue
        chosen.append(picture)
        taken |= library.enemies[name]
    return chosen


def stands_out(picture: Picture, rgb: tuple[int, int, int]) -> bool:
    """Whether a cut-out's mean colour is far enough from a plain background's."""
    return sum((x - y) ** 2 for x, y in zip(picture.tint, rgb, strict=True)) ** 0.5 >= CONTRAST


def _motion(rng: Dice) -> str:
    return "still" if rng.chance(0.3) else rng.choice(MOTIONS[1:])


def _place(
    rng: Dice, library: Library, picture: int, motion: str, span: tuple[float, float], count: int
) -> Actor | None:
    """A size and a straight path inside the frame; None if the lot does not fit."""
    width, height = library.pictures[picture].size
    side = rng.between(*SIDES[count]) / max(width, height)
    side = max(side, LEAST_WIDTH / width, LEAST_HEIGHT / height)
    size = tuple(round(edge * side * 1024) / 1024 for edge in (width, height))
    least = TRAVEL + 0.05 if span == (0.0, 1.0) else TRAVEL / 0.55 + 0.02
    room = [1 - edge for edge in size]
    axis = 0 if STEP[motion][0] else 1
    if max(size) > 0.65 or (motion != "still" and least > room[axis]):
        return None
    far = 0.0 if motion == "still" else rng.between(least, min(room[axis], least + 0.35))
    start = [edge / 2 + rng.between(0, spare) for edge, spare in zip(size, room, strict=True)]
    end = [s + step * far for s, step in zip(start, STEP[motion], strict=True)]
    low, high = size[axis] / 2, 1 - size[axis] / 2
    push = max(0.0, low - end[axis]) - max(0.0, end[axis] - high)
    start[axis], end[axis] = start[axis] + push, end[axis] + push
    name = library.pictures[picture].name
    return Actor(picture, name, size, tuple(start), tuple(end), motion, *span)


def _track(actor: Actor) -> np.ndarray:
    """[times, 4]: the actor's box at ALL_TIMES, empty while it is not there."""
    part = (_TIMES - actor.enter) / (actor.leave - actor.enter)
    centre, size = np.array(actor.start), np.array(actor.size)
    centres = centre + (np.array(actor.end) - centre) * part[:, None]
    boxes = np.concatenate([centres - size / 2, centres + size / 2], 1)
    boxes[(actor.enter > _TIMES) | (actor.leave < _TIMES)] = 0
    return boxes


def _clear(placed: list[tuple[Actor, np.ndarray]]) -> bool:
    """Whether those in front of each actor leave enough of it free at all times.

    Overlaps are summed, which is at least their union.
    """
    tracks = np.stack([track for _, track in placed])
    for i, (actor, track) in enumerate(placed[:-1]):
        low = np.maximum(tracks[i + 1 :, :, :2], track[:, :2])
        high = np.minimum(tracks[i + 1 :, :, 2:], track[:, 2:])
        common = np.maximum(high - low, 0).prod(-1).sum(0).max()
        if common > (1 - SEEN) * actor.size[0] * actor.size[1]:
            return False
    return True
