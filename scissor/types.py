"""What the rooms of the house hand to each other.

Knows the shapes, units and meaning of a clip, its visual tokens and their compression. Leaves how
each is made to video.py, models/ and scc.py. Words as in the README: T frames, N = rows * cols
tokens a frame, D their width, M tokens after step 1, K tokens kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Video:
    """Frames sampled from a clip.

    frames: [T, H, W, 3] uint8, RGB. times: [T] float64, seconds from the clip's start.
    duration: of the whole clip in seconds, 0 for a picture. name: for people to read, never a path.
    key: hex digest of the file's content and of how it was sampled; equal keys, equal frames.
    """

    frames: np.ndarray
    times: np.ndarray
    duration: float
    name: str
    key: str


@dataclass(frozen=True, eq=False)
class Encoded:
    """A clip's visual tokens as one model sees them, after its projector and pooling.

    tokens: [T, N, D] float32 on the CPU; T counts the model's temporal steps.
    grid: (rows, cols), rows * cols == N; token n stands at row n // cols, column n % cols.
    times: [T] float64, seconds. model: the name of the model that made them.
    key: equal keys, equal tokens. attention: [T, N] float32, the mean attention a token receives in
    the vision tower, where it was asked for. extras: what a family needs again to answer.
    """

    tokens: Tensor
    grid: tuple[int, int]
    times: np.ndarray
    model: str
    key: str
    attention: Tensor | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def places(self) -> Tensor:
        """[T*N, 3] float32: frame, row and column of every token, in token order."""
        return cell_places(self.tokens.shape[0], self.grid)


@dataclass(frozen=True, eq=False)
class Compression:
    """The kept tokens of a clip and where each came from (DESIGN words: group, share, hub).

    tokens: [K, D] float32. grid: (rows, cols) of a frame.
    spatial: [T, N] int64, step-1 component of each input token, numbered over the whole clip.
    group: [T, N] int64, the kept token its component ended in, before the merge.
    share: [T, N] int64, the kept token whose average the input token entered in the merge.
        Methods that only select put -1 for a dropped token in all three.
    hub: [K, 2] int64, frame and token index of each kept token's hub.
    place: [K, 3] float32, mean frame, row and column of the share (of the hub if it is empty).
    counts: (T*N, M, K). tau_spatial, tau_temporal: thresholds used; None for other methods.
    target: the count that was asked for, None where a threshold was. seconds: by stage.
    after: the decoder's layers that still read all T*N tokens; 0 if the choice came before them.
    """

    method: str
    tokens: Tensor
    grid: tuple[int, int]
    spatial: Tensor
    group: Tensor
    share: Tensor
    hub: Tensor
    place: Tensor
    counts: tuple[int, int, int]
    tau_spatial: float | None = None
    tau_temporal: float | None = None
    target: int | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    after: int = 0

    @property
    def kept(self) -> int:
        """K, the number of kept tokens."""
        return self.counts[2]

    @property
    def retention(self) -> float:
        """K / (T*N), in (0, 1]; 0 for an empty clip."""
        return self.counts[2] / self.counts[0] if self.counts[0] else 0.0

    @property
    def miss(self) -> int | None:
        """Kept minus target; None where a threshold was asked for, not a count."""
        return None if self.target is None else self.kept - self.target

    @property
    def moved(self) -> float:
        """Part of the surviving input tokens whose share is not their own group, in [0, 1]."""
        alive = self.share >= 0
        total = int(alive.sum())
        return float(((self.share != self.group) & alive).sum()) / total if total else 0.0


@dataclass(frozen=True)
class InDecoder:
    """Prune inside the language model: after `layer` layers keep `retention` of the visual tokens.

    method names the rule, "fastv" the only one so far (arXiv 2403.06764). chosen: told the indices
    [K] int64 of the visual tokens that stay, ascending, once a prefill has chosen them.
    """

    layer: int
    retention: float
    method: str = "fastv"
    chosen: Callable[[Tensor], None] | None = field(default=None, compare=False, repr=False)


def target_count(retention: float, total: int) -> int:
    """K = max(1, ceil(retention * total - 1e-6)), the count every method aims at; 0 of 0.

    Raises ValueError unless 0 < retention <= 1.
    """
    if not 0 < retention <= 1:
        raise ValueError(f"retention must be above 0 and at most 1, not {retention}")
    return min(total, max(1, math.ceil(retention * total - 1e-6))) if total else 0


def cell_places(frames: int, grid: tuple[int, int], device: torch.device | None = None) -> Tensor:
    """[frames*rows*cols, 3] float32: frame, row and column of every cell, in token order."""
    axes = (torch.arange(side, device=device) for side in (frames, *grid))
    return torch.cartesian_prod(*axes).reshape(-1, 3).float()
