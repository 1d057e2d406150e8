"""Control: average pooling within every frame, to a coarser grid.

Knows which grid comes nearest to the budget. PLLaVA's pooling (arXiv 2404.16994), which pools over
time too, is another method.
"""

from __future__ import annotations

import torch

from scissor.methods.parts import unite
from scissor.types import Compression, Encoded, target_count


def compress(encoded: Encoded, retention: float) -> Compression:
    """The coarser grid of least miss, then nearest to the frame's shape; at least 1 x 1 a frame."""
    frames, cells = encoded.tokens.shape[:2]
    rows, cols = coarse_grid(encoded.grid, target_count(retention, frames * cells) / frames)
    down = torch.arange(encoded.grid[0]) * rows // encoded.grid[0]
    over = torch.arange(encoded.grid[1]) * cols // encoded.grid[1]
    cell = (down[:, None] * cols + over).flatten()
    label = torch.arange(frames)[:, None] * (rows * cols) + cell
    middle = torch.tensor([_middle(cell, k, encoded.grid[1]) for k in range(rows * cols)])
    hub = (torch.arange(frames)[:, None] * cells + middle).flatten()
    return unite(encoded, label, hub, "pool", retention)


def coarse_grid(grid: tuple[int, int], cells: float) -> tuple[int, int]:
    """The (rows, cols) within `grid` whose product is nearest to `cells`, then of its shape."""
    sizes = ((r, c) for r in range(1, grid[0] + 1) for c in range(1, grid[1] + 1))
    return min(
        sizes,
        key=lambda size: (
            abs(size[0] * size[1] - cells),
            abs(size[0] * grid[1] - size[1] * grid[0]),
            size,
        ),
    )


def _middle(cell: torch.Tensor, index: int, cols: int) -> int:
    """The token nearest to the middle of a coarse cell."""
    members = (cell == index).nonzero().flatten()
    spots = torch.stack([members // cols, members % cols], 1).float()
    return int(members[(spots - spots.mean(0)).square().sum(1).argmin()])
