"""PLLaVA (arXiv 2404.16994): adaptive average pooling over time and space.

Knows which t x r x c comes near the budget and keeps the clip's shape. The paper pools 16 x 24 x
24 to 16 x 12 x 12 and trains with it; here its pooling stands alone, without training, as
LLaVA-Scissor compares it. Windows overlap where the sizes do not divide (as in torch's adaptive
pooling, which the public code calls); a patch's share is then the window around its own middle.
"""

from __future__ import annotations

from itertools import product
from math import log

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool3d

from scissor.methods.parts import compression
from scissor.types import Compression, Encoded, target_count

Size = tuple[int, int, int]
NEAR = 0.02
"""Misses up to this part of the target count as equal: 2 x 6 x 13 is no pooling of 8 x 14 x 14,
though it misses 157 by one token and 4 x 5 x 8 by three."""


def compress(encoded: Encoded, retention: float) -> Compression:
    """The averages of t x r x c windows: nearly target_count tokens, see `pooled_size`."""
    frames, cells = encoded.tokens.shape[:2]
    whole = frames, *encoded.grid
    size = pooled_size(whole, target_count(retention, frames * cells))
    label = _windows(whole, size)
    return compression(
        encoded,
        "pllava",
        _pool(encoded.tokens.flatten(0, 1), whole, size),
        label.view(frames, cells),
        _hubs(whole, size),
        _pool(encoded.places, whole, size),
        retention,
    )


def pooled_size(whole: Size, target: int) -> Size:
    """(t, r, c) within `whole`: of the least miss or as good as that (NEAR), then of its shape.

    Its shape: the three sides shrink alike, by the spread of the logarithms of what is left.
    """
    sizes = list(product(*(range(1, n + 1) for n in whole)))
    misses = [abs(t * r * c - target) for t, r, c in sizes]
    allowed = max(min(misses), NEAR * target)
    near = [row for row in zip(sizes, misses, strict=True) if row[1] <= allowed]
    return min(near, key=lambda row: (round(_skew(row[0], whole), 6), row[1], row[0]))[0]


def _skew(size: Size, whole: Size) -> float:
    left = [log(n / m) for n, m in zip(size, whole, strict=True)]
    mean = sum(left) / 3
    return sum((x - mean) ** 2 for x in left)


def _pool(rows: Tensor, whole: Size, size: Size) -> Tensor:
    """[T*R*C, D] -> [t*r*c, D]."""
    block = rows.T.reshape(1, -1, *whole)
    return adaptive_avg_pool3d(block, size)[0].flatten(1).T.contiguous()


def _windows(whole: Size, size: Size) -> Tensor:
    """[T*R*C] int64: the window around the middle of each token."""
    along = [(2 * torch.arange(n) + 1) * m // (2 * n) for n, m in zip(whole, size, strict=True)]
    t, r, c = torch.meshgrid(*along, indexing="ij")
    return ((t * size[1] + r) * size[2] + c).flatten()


def _hubs(whole: Size, size: Size) -> Tensor:
    """[t*r*c] int64: the token in the middle of each window."""
    along = [(2 * torch.arange(m) + 1) * n // (2 * m) for n, m in zip(whole, size, strict=True)]
    t, r, c = torch.meshgrid(*along, indexing="ij")
    return ((t * whole[1] + r) * whole[2] + c).flatten()
