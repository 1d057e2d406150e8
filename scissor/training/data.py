"""What training sees: scenes drawn by lot, as arrays for render.py, and questions as token ids.

Knows how clips of mixed lengths and many questions become a batch, made by many workers at once.
Leaves the pictures to album.py, what a clip shows to shots.py, questions to scenes/ and asking.py,
pixels to render.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from scissor.mini.decoder import answer_ids, prompt_ids
from scissor.scenes.dice import Dice
from scissor.scenes.render import SIDE, ZOOM
from scissor.scenes.scene import MOST_ACTORS, Actor, frame_times
from scissor.training.album import Album
from scissor.training.asking import careless, questions
from scissor.training.shots import NOTHING, Shot, close_up, shoot

LENGTHS = {4: 0.1, 8: 0.25, 16: 0.3, 32: 0.35}
QUESTIONS = 8
CROWD = (1, 2, 3, 4, 4, 4)  # actors of a single frame
AWAY = -1e4
DOUBTED = 0.4  # drawn actors that some cells take for something else
MOST_DOUBT = 0.45


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
        close: bool = False,
    ) -> None:
        """frames: drawn in a batch. lengths: frames of a clip and how often. close: of one drawing
        each (shots.close_up).
        """
        self.close = close
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
        crowd = CROWD if length == 1 else None
        if self.close:
            shots = [close_up(rng, self.album) for _ in range(size)]
        else:
            shots = [shoot(rng, self.album, crowd) for _ in range(size)]
        rows = [arrays(rng, self.album, shot, length) for shot in shots]
        batch = {k: torch.from_numpy(np.stack([row[k] for row in rows])) for k in rows[0]}
        if self.questions:
            asked = [self._asked(rng, shot) for shot in shots]
            batch |= _padded(asked, self.tokenizer.pad_token_id)
        batch["before"] = prompt_ids(self.tokenizer, "")[0]
        return batch

    def _asked(self, rng: Dice, shot: Shot) -> list[tuple[list[int], list[int]]]:
        asked = questions(rng, self.album, shot, self.questions)
        return [(self._prompt(careless(rng, q.text)), self._answer(q.answer)) for q in asked]


def arrays(rng: Dice, album: Album, shot: Shot, length: int) -> dict[str, np.ndarray]:
    """The arrays of one clip that render.draw and the losses read, without the batch's axis."""
    scene, spare = shot.scene, MOST_ACTORS - len(shot.scene.actors)
    times = frame_times(length)
    boxes = [[_box(actor, time) for time in times] for actor in scene.actors]
    boxes += [[(AWAY, AWAY, 1.0, 1.0)] * length] * spare
    names = [album.where[actor.name] for actor in scene.actors] + [-1] * spare
    worn = [*shot.worn, *[-1] * spare]
    behind = _behind(album, shot, times)
    draw = np.array([rng.random() for _ in range(10 * MOST_ACTORS + 8)])
    looks = [_look(rng) for _ in range(MOST_ACTORS)]
    each = draw[8:].reshape(MOST_ACTORS, 10)
    gain = np.concatenate([0.85 + 0.3 * each[:, :3], 24 * each[:, 3:6] - 12], 1)
    corner = each[:, 6:8] * np.array([album.backgrounds.shape[2], album.backgrounds.shape[1]]) * 0.7
    light = np.concatenate([0.94 + 0.12 * draw[:3], 12 * draw[3:6] - 6])
    pictures = [actor.picture for actor in scene.actors] + [-1] * spare
    dressed = [worn[a] >= 0 and pictures[a] >= 0 for a in range(MOST_ACTORS)]
    said, doubt = _said(rng, album, shot)
    told = [int(each[a, 8] * album.places) if dressed[a] else -1 for a in range(MOST_ACTORS)]
    return {
        "box": np.array(boxes, dtype=np.float32),
        "picture": np.array(pictures),
        "flip": each[:, 9] < 0.5,
        "gain": gain.astype(np.float32),
        "mix": np.stack([mix for mix, _ in looks]).astype(np.float32),
        "turn": np.stack([turn for _, turn in looks]).astype(np.float32),
        "cloth": np.array(told),
        "cloth_at": corner.astype(np.float32),
        "forced": np.array(worn),
        "said": said,
        "doubt": doubt,
        "name": np.array(names),
        "natural": np.array(behind["back"].min() >= 0 and max(pictures) < 0),
        **behind,
        "light": light.astype(np.float32),
        "noise": np.float32(4 * draw[6] ** 2),
    }


def _said(rng: Dice, album: Album, shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """What evidence.rename makes of each drawn actor: rows [A, 3], -1 for others; doubt [A]."""
    rows, doubt = np.full((MOST_ACTORS, 3), -1), np.zeros(MOST_ACTORS, dtype=np.float32)
    present = {actor.name for actor in shot.scene.actors}
    for a, actor in enumerate(shot.scene.actors):
        if shot.worn[a] >= 0 or actor.picture < 0:
            continue
        drawn = album.library.pictures[actor.picture].name
        other = rng.choice(album.drawn)
        rows[a] = [album.row[name] for name in (drawn, actor.name, other)]
        if rng.chance(DOUBTED) and other not in present | {drawn}:
            doubt[a] = rng.between(0, MOST_DOUBT)
    return rows, doubt


def _box(actor: Actor, time: float) -> tuple[float, float, float, float]:
    box = actor.box(time)
    if box is None:
        return AWAY, AWAY, 1.0, 1.0
    left, top = round(box[0] * SIDE), round(box[1] * SIDE)
    return left, top, max(1, round(actor.size[0] * SIDE)), max(1, round(actor.size[1] * SIDE))


def _behind(album: Album, shot: Shot, times: Sequence[float]) -> dict[str, np.ndarray]:
    """What is behind the actors: by frame the background, its name and its part that shows."""
    shown = [shot.at(time) for time in times]
    back, plain, names = zip(*(_background(album, part) for part in shown), strict=True)
    crops = [_crop(album, part, time) for part, time in zip(shown, times, strict=True)]
    return {
        "back": np.array(back),
        "plain": np.array(plain[0], dtype=np.float32),
        "back_name": np.array(names),
        "crop": np.array(crops, dtype=np.float32),
    }


def _background(album: Album, shot: Shot) -> tuple[int, tuple[int, ...], int]:
    """(index into the atlas's backgrounds or -1, plain colour, index of its name or -1)."""
    if shot.photo >= 0:
        return album.places + shot.photo, (0, 0, 0), album.where[album.photographs[shot.photo]]
    if shot.scene.background is None:
        colour = shot.scene.colour
        return -1, shot.scene.rgb, -1 if colour is None else album.where[colour]
    place = album.library.backgrounds[shot.scene.background].scene
    return shot.scene.background, (0, 0, 0), -1 if place in NOTHING else album.where[place]


def _crop(album: Album, shot: Shot, time: float) -> tuple[float, float, float, float]:
    high, wide = album.backgrounds.shape[1:3]
    (x0, y0), (x1, y1) = shot.scene.pan
    side = high / ZOOM * shot.zoom
    x, y = x0 + (x1 - x0) * time, y0 + (y1 - y0) * time
    return x * (wide - side), y * (high - side), side, side


def _look(rng: Dice) -> tuple[np.ndarray, np.ndarray]:
    """How a drawing is changed, as another hand might draw it: colours [3, 3] and turn [3].

    Colours: as they are, weaker or stronger, grey, or their hue turned. Turn: an angle in radians,
    and by how much the picture is narrowed and lowered (render._turned).
    """
    grey, mix = np.full((3, 3), 1 / 3), np.eye(3)
    if rng.chance(0.5):
        strength = 0.0 if rng.chance(0.15) else 0.3 + 1.1 * rng.random()
        mix = grey + strength * (mix - grey)
    if rng.chance(0.25):
        mix = _hue((rng.random() - 0.5) * (2.0 if rng.chance(0.3) else 0.7)) @ mix
    angle = (rng.random() - 0.5) * 0.7 if rng.chance(0.5) else 0.0
    thin = 1 + 0.35 * rng.random() if rng.chance(0.4) else 1.0
    return mix, np.array([angle, *((thin, 1.0) if rng.chance(0.5) else (1.0, thin))])


def _hue(angle: float) -> np.ndarray:
    """Turns colours about the grey axis (Rodrigues' formula)."""
    axis = 3**-0.5 * np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return np.eye(3) + np.sin(angle) * axis + (1 - np.cos(angle)) * axis @ axis


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
