"""Tokens that behave like a clip's, for measuring: no model needed.

Knows how to make features whose similarity graph looks like that of real clips: a background that
stays and changes smoothly across the frame, moving objects, noise that is stronger in some places,
and the direction that all tokens of a vision tower share. At 10% retention one group holds half to
three quarters of the tokens and the merge moves a third to a half of all, as on natural clips.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LOOKS = 24  # directions that appearances are mixed from


def features(frames: int, width: int, grid: tuple[int, int] = (14, 14), seed: int = 0) -> Tensor:
    """[frames, rows * cols, width] float32 tokens; the same for the same arguments."""
    g = torch.Generator().manual_seed(seed)
    n = grid[0] * grid[1]
    looks = torch.randn(LOOKS, width, generator=g) / math.sqrt(LOOKS)
    texture = torch.rand(n, 1, generator=g) ** 2 * torch.randn(n, width, generator=g)
    x = (_field(grid, g) @ looks + texture).repeat(frames, 1, 1)
    for _ in range(4):
        _add_object(x, grid, _field(grid, g) @ looks, g)
    loud = torch.rand(1, n, 1, generator=g) ** 2
    x = x + loud * torch.randn(frames, n, width, generator=g)
    return x + 1.2 * torch.randn(width, generator=g)


def _cells(grid: tuple[int, int]) -> Tensor:
    return torch.cartesian_prod(*(torch.arange(side).float() for side in grid))


def _field(grid: tuple[int, int], g: torch.Generator) -> Tensor:
    """[rows * cols, LOOKS]: weights that change smoothly over the frame, sums of six waves."""
    waves = 0.8 * torch.randn(6, 2, LOOKS, generator=g)
    phase = 2 * math.pi * torch.rand(6, LOOKS, generator=g)
    place = _cells(grid) / torch.tensor(grid)
    angle = 2 * math.pi * torch.einsum("np,wpl->nwl", place, waves) + phase
    return angle.cos().sum(1) / math.sqrt(3)


def _add_object(x: Tensor, grid: tuple[int, int], look: Tensor, g: torch.Generator) -> None:
    """Draw a square object with its own look, moving straight and wrapping around, into x."""
    box = torch.tensor(grid)
    start = torch.rand(2, generator=g) * box
    step = 0.8 * (torch.rand(2, generator=g) - 0.5)
    size = 1.5 + 2 * torch.rand((), generator=g)
    for t in range(len(x)):
        inside = (_cells(grid) - (start + step * t) % box).abs().amax(1) < size
        own = 0.3 * torch.randn(int(inside.sum()), x.shape[2], generator=g)
        x[t, inside] = look[inside] + own
