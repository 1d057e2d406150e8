"""The eye of the embedded model: EfficientNet-Lite0 over single frames.

Knows the network (Tan & Le, arXiv 1905.11946, in its Lite form: no squeeze-excite, ReLU6), whose
batch normalisation is already folded into plain convolutions, and how its stages become features of
the cells of one grid. Leaves what the features mean to the decoder to projector.py.

The network was trained on pictures of 224 pixels. At 448 it sees small things, but a thing that
fills the picture is too large for it; so it may glance at the same frame made small as well, and
both have their say. On photographs the right class then wins in 56% of the cells, without the
glance in 31%: eleven pictures, which tell the direction and are no held-out measurement.

Tuned to drawings the network forgets photographs. With a branch it need not: all but its first
stages are there twice, once as they are public, for ImageNet's classes, and once tuned, for drawn
names. The branch may look a third time, at the frame a little smaller and in a mirror, which names
a few more of the drawings by hands that it was not taught.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scissor.mini.config import Config, Stage


class Seen(NamedTuple):
    """What the tower sees in B frames of N cells.

    features: [B, N, F]. classes: [B, N, k] int64, the likeliest ImageNet classes of a cell, best
    first; where the model has drawn names (config.drawn), then the k likeliest of those, numbered
    on from ImageNet's. probabilities: likewise, among all of their kind.
    """

    features: Tensor
    classes: Tensor
    probabilities: Tensor


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Float32 convolutions mean float32: on a GPU they are rounded to TF32 unless told otherwise,
    and the tower's errors grow on their way. Undone at exit.
    """
    cudnn = torch.backends.cudnn
    new = hasattr(getattr(cudnn, "conv", None), "fp32_precision")  # torch 2.9
    setting, name, exact = (
        (cudnn.conv, "fp32_precision", "ieee") if new else (cudnn, "allow_tf32", False)
    )
    before = getattr(setting, name)
    setattr(setting, name, exact)
    try:
        yield
    finally:
        setattr(setting, name, before)


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": what is odd goes right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        even = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding=even, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C', ceil(H / stride), ceil(W / stride)]."""
        stride, kernel = self.stride[0], self.kernel_size[0]
        if stride > 1:
            spare = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:]]
            x = F.pad(x, [side for n in reversed(spare) for side in (n // 2, n - n // 2)])
        return super().forward(x)


class Bottleneck(nn.Module):
    """An inverted bottleneck: widen, filter each channel, narrow; added to its input if it fits."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = SameConv(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = SameConv(wide, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C', H / stride, W / stride]."""
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.residual else y


def _onto(cells: torch.Size, x: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, *cells]: averaged where it is finer, bilinear where it is coarser."""
    if x.shape[-2:] == cells:
        return x
    if x.shape[-1] > cells[-1]:
        return F.adaptive_avg_pool2d(x, cells)
    return F.interpolate(x, cells, mode="bilinear")


def _stage(inputs: int, stage: Stage) -> nn.Sequential:
    repeats, kernel, stride, expansion, width = stage
    blocks = [Bottleneck(inputs, width, kernel, stride, expansion)]
    blocks += [Bottleneck(width, width, kernel, 1, expansion) for _ in range(repeats - 1)]
    return nn.Sequential(*blocks)


def _stages(inputs: int, stages: Sequence[Stage]) -> nn.ModuleList:
    widths = [inputs, *(stage[4] for stage in stages[:-1])]
    return nn.ModuleList(_stage(*pair) for pair in zip(widths, stages, strict=True))


def _outputs(stages: nn.ModuleList, x: Tensor) -> list[Tensor]:
    """Of every stage, one after the other."""
    return list(accumulate(stages, lambda x, stage: stage(x), initial=x))[1:]


class Branch(nn.Module):
    """The network once more from the stage `config.branch` on, with a classifier of drawn names."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stages = _stages(config.stages[config.branch - 1][4], config.stages[config.branch :])
        self.head = SameConv(config.stages[-1][4], config.head, 1)
        self.classifier = nn.Linear(config.head, config.drawn + 1)

    @torch.no_grad()
    def begin(self, tower: Tower, known: bool) -> None:
        """Be what the tower is. known: its classifier ends with rows for the same drawn names; if
        not, every name is as likely.
        """
        for mine, its in zip(self.stages, tower.stages[-len(self.stages) :], strict=True):
            mine.load_state_dict(its.state_dict())
        self.head.load_state_dict(tower.head.state_dict())
        for mine, its in zip(
            self.classifier.parameters(), tower.classifier.parameters(), strict=True
        ):
            mine.copy_(its[-len(mine) :]) if known else mine.zero_()

    def maps(self, x: Tensor) -> list[Tensor]:
        """The output of the stage before the branch -> those of the branch's stages."""
        return _outputs(self.stages, x)


def agreed(logits: Tensor) -> Tensor:
    """Every cell's logits [B, rows, H, W] averaged with its neighbours', binomially (1 2 1).

    A cell is often sure, all by itself, of a thing that is not there. Of the evaluation's cut-outs,
    each alone in a frame, cells so say 1.7 drawn names on average instead of 2.2 with a probability
    over 0.3, and 8.5 of ImageNet's instead of 11.5; where the thing stands more of them are right
    (measured once, with weights that were trained without it).
    """
    wider = F.pad(logits, (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(wider, 2, 1), 2, 1)


def deep(part: Tower | Branch, last: Tensor) -> Tensor:
    """The last stage's map [B, C, H, W] -> what the classifier reads of it, [B, H, W, head]."""
    return F.relu6(part.head(last)).permute(0, 2, 3, 1)


def cell_logits(part: Tower | Branch, last: Tensor) -> Tensor:
    """The last stage's map [B, C, H, W] -> every cell's logits [B, rows, H, W]."""
    return part.classifier(deep(part, last)).permute(0, 3, 1, 2)


class Tower(nn.Module):
    """EfficientNet-Lite0: frames in, features and evidence of every cell out."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.stem = SameConv(3, config.stem, 3, 2)
        self.stages = _stages(config.stem, config.stages)
        self.head = SameConv(config.stages[-1][4], config.head, 1)
        own = config.classes if config.branch else config.rows
        self.classifier = nn.Linear(config.head, own)
        self.branch = Branch(config) if config.branch else None

    def forward(self, frames: Tensor) -> Seen:
        """[B, S, S, 3] uint8 RGB, S = config.frame, -> Seen with N = rows * cols cells."""
        return self.seen(*self.look(frames))

    def look(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """As forward: the cells' features [B, N, F] and the logits [B, N, rows] they agreed on."""
        maps, logits = self.read(frames)
        cells = maps[-1].shape[-2:]
        tapped = [_onto(cells, maps[tap]) for tap in self.config.taps]
        if self.config.glance:
            small, more = self.read(self.shrink(frames, self.config.glance))
            tapped.append(_onto(cells, small[-1]))
            logits = logits + _onto(cells, more)
        if self.config.mirror:
            known = self.config.classes
            third = _onto(cells, self.mirrored(self.shrink(frames, self.config.mirror)))
            named = (logits[:, known:] + third) * (2 / 3)  # as far apart as two looks' sum
            logits = torch.cat([logits[:, :known], named], 1)
        both = torch.cat(tapped, 1), agreed(logits)
        features, said = (x.flatten(2).transpose(1, 2) for x in both)
        return features, said

    def seen(self, features: Tensor, logits: Tensor) -> Seen:
        """The features and the few likeliest classes of either kind."""
        few, classes = self.config.evidence, self.config.classes
        likely = logits[..., :classes].float().softmax(-1).topk(few, -1)
        found, sure = likely.indices, likely.values
        if self.config.drawn:
            named = logits[..., classes:].float().softmax(-1)[..., :-1].topk(few, -1)
            found = torch.cat([found, named.indices + classes], -1)
            sure = torch.cat([sure, named.values], -1)
        return Seen(features, found, sure.to(features.dtype))

    def shrink(self, frames: Tensor, side: int) -> Tensor:
        """[B, S, S, 3] uint8 -> [B, side, side, 3], by area; in the tower's type."""
        pixels = frames.permute(0, 3, 1, 2).to(self.stem.weight.dtype)
        return F.adaptive_avg_pool2d(pixels, side).permute(0, 2, 3, 1)

    def read(self, frames: Tensor) -> tuple[list[Tensor], Tensor]:
        """[B, S, S, 3] in 0..255 -> the stages' outputs, the branch's where it has them, and every
        cell's logits [B, rows, H, W].
        """
        maps = self.maps(frames)
        logits = cell_logits(self, maps[-1])
        if self.branch is None:
            return maps, logits
        early = maps[: self.config.branch]
        late = self.branch.maps(early[-1])
        return [*early, *late], torch.cat([logits, cell_logits(self.branch, late[-1])], 1)

    def mirrored(self, frames: Tensor) -> Tensor:
        """[B, S, S, 3] in 0..255 -> the branch's logits [B, drawn + 1, H, W] of the frames as seen
        in a mirror, turned back.
        """
        early = self.maps(frames.flip(2), self.config.branch)[-1]
        return cell_logits(self.branch, self.branch.maps(early)[-1]).flip(3)

    def maps(self, frames: Tensor, stages: int | None = None) -> list[Tensor]:
        """[B, S, S, 3] in 0..255 -> the (first) stages' outputs, each [B, C, H, W]."""
        x = (frames.permute(0, 3, 1, 2).to(self.stem.weight.dtype) - 127) / 128
        return _outputs(self.stages[:stages], F.relu6(self.stem(x), inplace=True))
