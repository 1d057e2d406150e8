"""Every held-out cut-out once, alone: how many things a model can name at all.

Knows where a thing stands and before what. Leaves asking a model to bench/accuracy.py.
"""

from __future__ import annotations

from scissor.scenes.dice import Dice
from scissor.scenes.exam import Clip
from scissor.scenes.library import Library, Picture, exam_library
from scissor.scenes.questions import Question
from scissor.scenes.scene import Actor, Scene, sample_background, stands_out
from scissor.scenes.wordings import TEXTS, answer

SEED = 471
SIDE = 0.5  # a thing's longest side, a fraction of the frame
MIDDLE = (0.5, 0.5)


def portraits(
    count: int | None = None, library: Library | None = None, seed: int = SEED
) -> list[Clip]:
    """The first of as many clips as there are pictures, in an order that no name or set leads.

    In each one thing stands still in the middle, before a plain colour in every other one, and is
    asked for by the list question.
    """
    library = library or exam_library()
    order = Dice(seed).shuffled(range(len(library.pictures)))[:count]
    return [_portrait(index, picture, library, seed) for index, picture in enumerate(order)]


def _portrait(index: int, picture: int, library: Library, seed: int) -> Clip:
    about, rng = library.pictures[picture], Dice(seed, index)
    size = tuple(round(edge / max(about.size) * SIDE * 1024) / 1024 for edge in about.size)
    actor = Actor(picture, about.name, size, MIDDLE, MIDDLE, "still")
    while not _fits(about, base := sample_background(rng, library, index % 2 == 0), library):
        pass
    still = base.get("pan", (MIDDLE,))[0]
    scene = Scene((actor,), **base | {"pan": (still, still)})
    truth = [about.name]
    said = answer("list", truth, None, library)
    return Clip(index, scene, (Question("list", TEXTS["list"][0], said, truth),))


def _fits(picture: Picture, base: dict, library: Library) -> bool:
    """Whether a thing stands out from a plain colour, and is no part of a place."""
    if "rgb" in base:
        return stands_out(picture, base["rgb"])
    place = library.backgrounds[base["background"]].scene
    return picture.name not in library.shown.get(place, ())
