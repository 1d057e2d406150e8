"""What training sees: scenes drawn by lot, as arrays for render.py, and questions as token ids.

Knows how clips of mixed lengths and many questions become a batch, made by many workers at once.
Leaves the pictures to album.py, scenes and questions to scenes/, pixels to render.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from scissor.mini.decoder import answer_ids, prompt_ids
from scissor.scenes.dice import Dice
from scissor.scenes.library import Library
from scissor.scenes.questions import KINDS, Question, ask
from scissor.scenes.render import SIDE, ZOOM
from scissor.scenes.scene import MOST_ACTORS, Actor, Scene, frame_times, sample_scene
from scissor.scenes.wordings import TEXTS, word_in
from scissor.training.album import Album

LENGTHS = {4: 0.2, 8: 0.45, 16: 0.25, 32: 0.1}
QUESTIONS = 8
WORN = 0.2  # actors that wear a made-up texture and are called by an ImageNet class
ALONE = 0.1  # clips that one such actor fills
PHOTOGRAPHS = 0.06  # clips that show one natural photograph and nothing else
PLACE_TEXTS = ("Where is this?", "What place is this?", "What is in the background?")
NOTHING = frozenset({"abstract", "texture"})  # backgrounds without a name
AWAY = -1e4


@dataclasses.dataclass(frozen=True)
class Shot:
    """A scene as training sees it. worn: by actor, an ImageNet class or -1. photo: or -1."""

    scene: Scene
    worn: tuple[int, ...]
    photo: int = -1


class Mixture(IterableDataset):
    """Endless batches; every process and worker draws its own clips, lengths are common to all."""

    def __init__(
        self,
        album: Album,
        tokenizer,
        seed: int,
        rank: int = 0,
        *,
        frames: int = 384,
        lengths: dict[int, float] | None = None,
        questions: int = QUESTIONS,
    ) -> None:
        """frames: drawn in a batch. lengths: frames of a clip and how often."""
        self.album, self.tokenizer, self.seed, self.rank = album, tokenizer, seed, rank
        self.frames, self.lengths, self.questions = frames, lengths or LENGTHS, questions
        ids = lru_cache(1 << 16)(lambda text: prompt_ids(tokenizer, text)[1].tolist())
        self._prompt = ids
        self._answer = lru_cache(1 << 16)(lambda text: answer_ids(tokenizer, text).tolist())

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        worker = get_worker_info()
        at, step = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            length = self._length(at)
            rng = Dice(self.seed, at, self.rank)
            yield self.batch(rng, length, max(1, self.frames // length))
            at += step

    def _length(self, at: int) -> int:
        pick = Dice(self.seed, at).random() * sum(self.lengths.values())
        for length, weight in self.lengths.items():
            pick -= weight
            if pick < 0:
                return length
        return max(self.lengths)

    def batch(self, rng: Dice, length: int, size: int) -> dict[str, Tensor]:
        """One batch of `size` clips of `length` frames."""
        shots = [shoot(rng, self.album) for _ in range(size)]
        rows = [arrays(rng, self.album, shot, length) for shot in shots]
        batch = {k: torch.from_numpy(np.stack([row[k] for row in rows])) for k in rows[0]}
        if self.questions:
            asked = [self._asked(rng, shot) for shot in shots]
            batch |= _padded(asked, self.tokenizer.pad_token_id)
        batch["before"] = prompt_ids(self.tokenizer, "")[0]
        return batch

    def _asked(self, rng: Dice, shot: Shot) -> list[tuple[list[int], list[int]]]:
        asked = questions(rng, self.album, shot, self.questions)
        return [(self._prompt(q.text), self._answer(q.answer)) for q in asked]


def shoot(rng: Dice, album: Album) -> Shot:
    """One scene: mostly as the evaluation's, sometimes one thing alone or one photograph."""
    if album.photographs and rng.chance(PHOTOGRAPHS):
        photo = rng.below(len(album.photographs))
        return Shot(Scene((), background=0), (), photo)
    alone = rng.chance(ALONE)
    scene = sample_scene(rng, album.library, actors=1 if alone else None)
    worn = []
    actors = list(scene.actors)
    for i, actor in enumerate(actors):
        told = rng.below(len(album.classes)) if alone or rng.chance(WORN) else -1
        name = album.classes[told] if told >= 0 else actor.name
        if told >= 0 and name in {other.name for other in actors}:
            told, name = -1, actor.name
        actors[i] = dataclasses.replace(actor, name=name)
        worn.append(told)
    if alone and worn[0] >= 0:
        actors[0] = _filling(rng, actors[0])
    return Shot(dataclasses.replace(scene, actors=tuple(actors)), tuple(worn))


def _filling(rng: Dice, actor: Actor) -> Actor:
    """The actor large and near the middle, as a photographer would take it."""
    size = rng.between(0.5, 1.3), rng.between(0.5, 1.3)
    centre = rng.between(0.4, 0.6), rng.between(0.4, 0.6)
    return dataclasses.replace(
        actor, size=size, start=centre, end=centre, motion="still", enter=0.0, leave=1.0
    )


def questions(rng: Dice, album: Album, shot: Shot, count: int) -> list[Question]:
    """`count` questions of mixed kinds with sure answers."""
    if shot.photo >= 0:
        return _about_photograph(rng, album, album.photographs[shot.photo], count)
    pool = [ask(kind, shot.scene, album.library, rng) for kind in rng.shuffled(list(KINDS))]
    asked = [question for question in pool if question]
    place = _place(rng, album, shot)
    if place and rng.chance(0.3):
        asked.insert(0, place)
    if rng.chance(0.3):
        asked.insert(0, _absent(rng, album, shot))
    while len(asked) < count:
        kind = rng.choice(("exist", "motion", "where", "exist", "describe", "list"))
        more = ask(kind, shot.scene, album.library, rng)
        asked += [more] if more else []
    return asked[:count]


def _place(rng: Dice, album: Album, shot: Shot) -> Question | None:
    if shot.scene.background is None:
        return None
    place = album.library.backgrounds[shot.scene.background].scene
    if place in NOTHING:
        return None
    return Question("place", rng.choice(PLACE_TEXTS), place, place)


def _absent(rng: Dice, album: Album, shot: Shot) -> Question:
    """Whether an ImageNet class that the scene does not show is there; else all would be."""
    names = {actor.name for actor in shot.scene.actors}
    name = rng.choice([name for name in album.classes if name not in names])
    text = word_in(rng.choice(TEXTS["exist"]), album.library.words[name])
    return Question("exist", text, "no", False, name)


def _about_photograph(rng: Dice, album: Album, name: str, count: int) -> list[Question]:
    still = ((0.5, 0.5), (0.5, 0.5), (0.5, 0.5))
    scene = Scene((Actor(0, name, *still, "still"),), background=None)
    kinds = ("list", "exist", "list", "describe")
    found = [ask(rng.choice(kinds), scene, album.library, rng) for _ in range(count)]
    return [question for question in found if question]


def arrays(rng: Dice, album: Album, shot: Shot, length: int) -> dict[str, np.ndarray]:
    """The arrays of one clip that render.draw and the losses read, without the batch's axis."""
    scene, spare = shot.scene, MOST_ACTORS - len(shot.scene.actors)
    times, library = frame_times(length), album.library
    boxes = [[_box(actor, time) for time in times] for actor in scene.actors]
    boxes += [[(AWAY, AWAY, 1.0, 1.0)] * length] * spare
    names = [album.where[actor.name] for actor in scene.actors] + [-1] * spare
    worn = [*shot.worn, *[-1] * spare]
    back, plain, back_name = _behind(album, shot, library)
    draw = np.array([rng.random() for _ in range(10 * MOST_ACTORS + 8)])
    each = draw[8:].reshape(MOST_ACTORS, 10)
    gain = np.concatenate([0.85 + 0.3 * each[:, :3], 24 * each[:, 3:6] - 12], 1)
    corner = each[:, 6:8] * np.array([album.backgrounds.shape[2], album.backgrounds.shape[1]]) * 0.7
    light = np.concatenate([0.94 + 0.12 * draw[:3], 12 * draw[3:6] - 6])
    told = [int(each[a, 8] * album.places) if worn[a] >= 0 else -1 for a in range(MOST_ACTORS)]
    pictures = [actor.picture for actor in scene.actors] + [-1] * spare
    return {
        "box": np.array(boxes, dtype=np.float32),
        "picture": np.array(pictures),
        "flip": each[:, 9] < 0.5,
        "gain": gain.astype(np.float32),
        "cloth": np.array(told),
        "cloth_at": corner.astype(np.float32),
        "forced": np.array(worn),
        "name": np.array(names),
        "back": np.array(back),
        "plain": np.array(plain, dtype=np.float32),
        "crop": np.array([_crop(album, scene, time) for time in times], dtype=np.float32),
        "light": light.astype(np.float32),
        "noise": np.float32(4 * draw[6] ** 2),
        "back_name": np.array(back_name),
    }


def _box(actor: Actor, time: float) -> tuple[float, float, float, float]:
    box = actor.box(time)
    if box is None:
        return AWAY, AWAY, 1.0, 1.0
    left, top = round(box[0] * SIDE), round(box[1] * SIDE)
    return left, top, max(1, round(actor.size[0] * SIDE)), max(1, round(actor.size[1] * SIDE))


def _behind(album: Album, shot: Shot, library: Library) -> tuple[int, tuple[int, ...], int]:
    """(index into the atlas's backgrounds or -1, plain colour, index of its name or -1)."""
    if shot.photo >= 0:
        return album.places + shot.photo, (0, 0, 0), album.where[album.photographs[shot.photo]]
    if shot.scene.background is None:
        return -1, shot.scene.rgb, album.where[shot.scene.colour]
    place = library.backgrounds[shot.scene.background].scene
    return shot.scene.background, (0, 0, 0), -1 if place in NOTHING else album.where[place]


def _crop(album: Album, scene: Scene, time: float) -> tuple[float, float, float, float]:
    high, wide = album.backgrounds.shape[1:3]
    (x0, y0), (x1, y1) = scene.pan
    side = high / ZOOM
    x, y = x0 + (x1 - x0) * time, y0 + (y1 - y0) * time
    return x * (wide - side), y * (high - side), side, side


def _padded(asked: list[list[tuple[list[int], list[int]]]], pad: int) -> dict[str, Tensor]:
    """ids [B, Q, L] and answers [B, Q, L] bool, L a multiple of 8."""
    longest = max(len(prompt) + len(answer) for row in asked for prompt, answer in row)
    shape = (len(asked), len(asked[0]), -(-longest // 8) * 8)
    ids, answers = torch.full(shape, pad), torch.zeros(shape, dtype=torch.bool)
    for b, row in enumerate(asked):
        for q, (prompt, answer) in enumerate(row):
            end = len(prompt) + len(answer)
            ids[b, q, :end] = torch.tensor(prompt + answer)
            answers[b, q, len(prompt) : end] = True
    return {"ids": ids, "answers": answers}
