"""What a training clip shows: mostly scenes as the evaluation's, sometimes natural pictures.

Knows how actors come to be called by any of ImageNet's thousand names, or by a drawn name that is
not their drawing's (evidence.py makes the tower say so), and how natural pictures are shown, by
themselves or one after the other, with or without something that the tower recognises. Leaves the
evaluation's scenes to scenes/scene.py, questions to asking.py, arrays to data.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from scissor.scenes.dice import Dice
from scissor.scenes.scene import Actor, Scene, sample_scene
from scissor.training.album import Album
from scissor.training.render import GHOST

WORN = 0.08  # actors that wear a made-up texture and are called by an ImageNet class
CLOSE = (0.3, 0.85)  # of a close-up, the part of its side that the drawing is long
BY_NAME = 0.5  # close-ups whose name is drawn first: rare ones are seen more often so
NEW = 0.6  # actors, of names that have one, whose drawing the tower was not taught
RENAMED = 0.3  # actors that are called by another drawn name than their own
ALONE = 0.05  # clips that one such actor fills
PHOTOGRAPHS = 0.16  # clips that show one natural photograph and nothing else
PERSONS = ("man", "woman", "people", "child", "boy", "girl", "baby", "face")
VISITORS = 0.4  # of those, the ones that show people, as most uploads do
VIEWS = 0.18  # clips that show a place and nothing that was put before it
HAUNTED = 0.65  # of those, the ones in which something is recognised that no pixel shows
PASSERS = 0.3  # of what is recognised so, somebody who passes
PASSING = PERSONS[:4]  # and who that is
FILMS = 0.09  # clips of several natural pictures, one after the other, as films are cut
BARE = 0.15  # of those, the ones in which nothing is recognised
NATURAL = 0.1  # close-ups' frames that show a photograph instead, and as many a place
NOTHING = frozenset({"abstract", "texture"})  # backgrounds without a name


@dataclasses.dataclass(frozen=True)
class Shot:
    """A scene as training sees it. worn: by actor, the classifier's row that the tower is made to
    say of it, or -1. photo: or -1.

    zoom: the part of the background's height that the frame shows. cuts: natural pictures that
    are shown instead, one after the other and each as long; `scene` has what is recognised in them.
    """

    scene: Scene
    worn: tuple[int, ...]
    photo: int = -1
    zoom: float = 1.0
    cuts: tuple[Shot, ...] = ()

    def at(self, time: float) -> Shot:
        """What stands behind the actors at a time, 0 to 1: itself, or one of its cuts."""
        count = len(self.cuts)
        return self.cuts[min(int(time * count), count - 1)] if count else self


def shoot(rng: Dice, album: Album, crowd: Sequence[int] | None = None) -> Shot:
    """One clip, drawn by lot. crowd: numbers of actors to choose from, not the usual ones."""
    if album.photographs and rng.chance(PHOTOGRAPHS):
        return _photograph(rng, album, 0.75)
    if album.places and rng.chance(VIEWS):
        return _view(rng, album)
    if album.places and rng.chance(FILMS):
        return _film(rng, album)
    alone = rng.chance(ALONE)
    actors = 1 if alone else rng.choice(crowd) if crowd else None
    scene = sample_scene(rng, album.library, actors=actors)
    worn = []
    actors = [_recast(rng, album, actor) for actor in scene.actors]
    for i, actor in enumerate(actors):
        told = rng.below(len(album.classes)) if alone or rng.chance(WORN) else -1
        name = album.classes[told] if told >= 0 else actor.name
        if told >= 0 and name in {other.name for other in actors}:
            told, name = -1, actor.name
        if told < 0 and rng.chance(RENAMED):
            name = _another(rng, album, scene, actors) or name
        actors[i] = dataclasses.replace(actor, name=name)
        worn.append(told)
    if alone and worn[0] >= 0:
        actors[0] = _filling(rng, actors[0])
    return Shot(dataclasses.replace(scene, actors=tuple(actors)), tuple(worn))


def _recast(rng: Dice, album: Album, actor: Actor) -> Actor:
    """Some of the actors as a hand drew them that the tower was not taught, within their box."""
    pictures = album.spared.get(actor.name)
    if not pictures or not rng.chance(NEW):
        return actor
    picture = rng.choice(pictures)
    size = album.library.pictures[picture].size
    scale = min(room / side for room, side in zip(actor.size, size, strict=True))
    return dataclasses.replace(actor, picture=picture, size=(size[0] * scale, size[1] * scale))


def _another(rng: Dice, album: Album, scene: Scene, actors: list[Actor]) -> str | None:
    """A drawn name that cannot be mixed up with what the scene shows."""
    library = album.library
    taken = set().union(*(library.enemies[actor.name] for actor in actors))
    if scene.background is not None:
        taken |= library.shown.get(library.backgrounds[scene.background].scene, frozenset())
    free = [name for name in album.drawn if name not in taken and library.words[name].single]
    return rng.choice(free) if free else None


def close_up(rng: Dice, album: Album) -> Shot:
    """One drawing that fills much of a small frame; sometimes a natural picture instead."""
    if album.photographs and rng.chance(NATURAL):
        return _photograph(rng, album, 0.5)
    place = rng.below(album.places) if album.places else None
    if place is not None and rng.chance(NATURAL):
        return Shot(Scene((), background=place, pan=_pan(rng)), (), zoom=rng.between(0.5, 1.0))
    among = album.taught
    if rng.chance(BY_NAME):
        among = album.taught_by[rng.choice(album.drawn)]
    at = rng.choice(among)
    picture = album.library.pictures[at]
    wide, high = picture.size
    scale = rng.between(*CLOSE) / max(wide, high)
    size = wide * scale, high * scale
    centre = tuple(rng.between(side / 2, 1 - side / 2) for side in size)
    actor = Actor(at, picture.name, size, centre, centre, "still")
    if place is not None and rng.chance(0.5):
        scene = Scene((actor,), background=place, pan=_pan(rng))
    else:  # before a colour that need not have a name
        scene = Scene((actor,), rgb=tuple(rng.below(256) for _ in range(3)))
    return Shot(scene, (-1,), zoom=rng.between(0.3, 1.0))


def _photograph(rng: Dice, album: Album, zoom: float) -> Shot:
    """A natural photograph, of which at least that part is shown."""
    people = [i for i, name in enumerate(album.photographs) if name in PERSONS]
    visitors = people and rng.chance(VISITORS)
    photo = rng.choice(people) if visitors else rng.below(len(album.photographs))
    return Shot(Scene((), background=0, pan=_pan(rng)), (), photo, rng.between(zoom, 1.0))


def _pan(rng: Dice) -> tuple[tuple[float, float], tuple[float, float]]:
    x, y = rng.between(0, 0.9), rng.between(0, 0.9)
    return (x, y), (x + rng.between(0, 0.1), y + rng.between(0, 0.1))


def _filling(rng: Dice, actor: Actor) -> Actor:
    """The actor large and near the middle, as a photographer would take it."""
    size = rng.between(0.5, 1.3), rng.between(0.5, 1.3)
    centre = rng.between(0.4, 0.6), rng.between(0.4, 0.6)
    return dataclasses.replace(
        actor, size=size, start=centre, end=centre, motion="still", enter=0.0, leave=1.0
    )


def _view(rng: Dice, album: Album, haunted: float = HAUNTED) -> Shot:
    """A place by itself; in most, the tower's evidence is made to name one thing or two in it.

    The decoder so learns to trust what the tower is sure of in natural pictures, and to name
    nothing where it is sure of nothing.
    """
    place = rng.below(album.places)
    told: list[int] = []
    if rng.chance(haunted):
        told = [_haunting(rng, album) for _ in range(2 if rng.chance(0.2) else 1)]
    called = (*album.classes, *album.drawn)
    ghosts = tuple(_ghost(rng, called[row], k, len(told)) for k, row in enumerate(told))
    if len({ghost.name for ghost in ghosts}) < len(ghosts):
        told, ghosts = told[:1], ghosts[:1]
    scene = Scene(ghosts, background=place, pan=_pan(rng))
    return Shot(scene, tuple(told), zoom=rng.between(0.4, 1.0))


def _haunting(rng: Dice, album: Album) -> int:
    """A row of the classifier: an ImageNet class, or the drawn name of somebody."""
    people = [album.row[name] for name in PASSING if name in album.row]
    if people and rng.chance(PASSERS):
        return rng.choice(people)
    return rng.below(len(album.classes))


def _film(rng: Dice, album: Album) -> Shot:
    """Two to four natural pictures one after the other. A film shows most things for a while only,
    and is no less about them.
    """
    count, bare = 2 + rng.below(3), rng.chance(BARE)
    taken = [bool(album.photographs) and not bare and rng.chance(0.5) for _ in range(count)]
    haunted = 0.0 if bare else HAUNTED
    cuts = [_photograph(rng, album, 0.75) if t else _view(rng, album, haunted) for t in taken]
    ghosts: dict[str, tuple[Actor, int]] = {}
    for k, cut in enumerate(cuts):
        for actor, told in zip(cut.scene.actors[:1], cut.worn[:1], strict=True):
            leave = (k + 1) / count - (1e-6 if k + 1 < count else 0)
            staying = dataclasses.replace(actor, enter=k / count, leave=leave)
            ghosts.setdefault(actor.name, (staying, told))
    actors = tuple(actor for actor, _ in ghosts.values())
    worn = tuple(told for _, told in ghosts.values())
    return Shot(Scene(actors, background=0), worn, cuts=tuple(cuts))


def _ghost(rng: Dice, name: str, turn: int, count: int) -> Actor:
    """Something that stands still, large and near the middle, or in its half of the picture; people
    may be small and anywhere.
    """
    if count == 1 and name in PERSONS:
        size = rng.between(0.12, 0.9), rng.between(0.25, 1.0)
        centre = rng.between(0.15, 0.85), rng.between(0.35, 0.65)
    elif count == 1:
        size = rng.between(0.35, 1.1), rng.between(0.35, 1.1)
        centre = rng.between(0.35, 0.65), rng.between(0.35, 0.65)
    else:
        size = rng.between(0.3, 0.48), rng.between(0.35, 0.8)
        centre = rng.between(0.22, 0.28) + 0.5 * turn, rng.between(0.35, 0.65)
    return Actor(GHOST, name, size, centre, centre, "still")
