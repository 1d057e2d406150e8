"""How often the word at a group is right, on made clips, whose things are known.

Knows which thing a group shows: the one whose box holds the most of its cells, and half of them at
least. A word is right that is that thing's very name. Leaves what is guessed to ui/guess.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from scissor import compress
from scissor.bench.measure import encode
from scissor.draw.overlay import group_sizes
from scissor.models.contract import ModelError, VideoLLM
from scissor.scenes import Clip, Library, exam_library
from scissor.scenes.exam import SEED, exam
from scissor.scenes.scene import Actor, Scene, frame_times
from scissor.types import cell_places
from scissor.ui.guess import guesses, large, words_of


@dataclass(frozen=True)
class Told:
    """How many groups are asked, and what is said: each word with the name of what is there."""

    groups: int
    words: tuple[tuple[str, str | None], ...]

    def __str__(self) -> str:
        right = sum(word == name for word, name in self.words)
        wrong = [f"{word} ({name or 'no thing'})" for word, name in self.words if word != name]
        said = f"{len(self.words)} of {self.groups:,} groups get a word, {right} of them right"
        return f"{said}; wrong: {', '.join(wrong)}" if wrong else said


def thing_at(scene: Scene, group: Tensor, grid: tuple[int, int]) -> str | None:
    """The name of the thing that a group [T, N] bool shows, cells in the order of `grid`."""
    times = frame_times(len(group))
    frame, row, column = cell_places(len(group), grid)[group.flatten()].unbind(-1)
    y, x = (row + 0.5) / grid[0], (column + 0.5) / grid[1]

    def inside(actor: Actor) -> int:
        boxes = torch.tensor([actor.box(time) or (2.0, 2.0, -1.0, -1.0) for time in times])
        left, top, right, bottom = boxes[frame.long()].unbind(-1)
        return int(((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).sum())

    held, name = max(((inside(one), one.name) for one in scene.actors), key=lambda pair: pair[0])
    return name if 2 * held >= len(frame) else None


def count(
    model: VideoLLM, clips: Iterable[Clip], library: Library, retention: float, frames: int
) -> Told:
    """Over made clips. Raises ModelError for a model whose tokens have no words."""
    words = words_of(model)
    if words is None:
        raise ModelError("this model's tokens have no words near them; take mini")
    groups, told = 0, []
    for clip in clips:
        encoded, _ = encode(model, clip, (), library=library, frames=frames)
        few = compress(encoded, retention=retention)
        ids, size = few.group, group_sizes(few.group, few.kept)
        groups += len(large(size))
        for group, word in guesses(encoded, words, ids, size).items():
            told.append((word, thing_at(clip.scene, ids == group, encoded.grid)))
    return Told(groups, tuple(told))


def main(argv: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="scissor bench guesses", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", default="mini", help="a known name, hub repository or folder")
    parser.add_argument("--limit", type=int, default=30, help="clips (30, about a minute)")
    parser.add_argument("--seed", type=int, default=SEED, help="another one: other clips")
    parser.add_argument("--frames", type=int, default=8, help="frames of a clip (8)")
    parser.add_argument("--retention", type=float, default=0.1, help="share of the tokens (0.1)")
    args = parser.parse_args(argv)
    from scissor.models import load_model

    library = exam_library()
    clips = exam(args.limit, library, args.seed)
    told = count(load_model(args.model), clips, library, args.retention, args.frames)
    print(f"{len(clips)} clips of {args.frames} frames, {args.retention:.0%} of the tokens: {told}")
    return 0
