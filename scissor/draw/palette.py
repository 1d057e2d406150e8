"""The one palette: which colour a group of tokens has, in every view, frame and figure.

Knows colours and how groups come by them. Leaves painting to overlay.py, graph.py, charts.py and
the page.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Twelve colours at least 0.085 apart in OKLab for deuteranopes and protanopes, 0.1 for tritanopes
# and 0.13 for everyone else. Read as 3 rows of 4, neighbours are 0.115 apart for all of them.
PALETTE = (
    "#7a9828",
    "#81279a",
    "#f7c0f9",
    "#b59dd6",
    "#41d4af",
    "#be529a",
    "#ad0f35",
    "#5c56d4",
    "#e7ab4c",
    "#0b90f5",
    "#bef093",
    "#f16f7a",
)
TINTS = ("#a9b2bd", "#bdb3a6", "#a8b8ac", "#b8aab8", "#9fb3b8", "#b9b6a0")
SINGLE = 255  # a group of one token: an outline, no fill


def colour_indices(hub: Tensor, size: Tensor, grid: tuple[int, int]) -> Tensor:
    """[G] uint8: below 12 an index into PALETTE, then 12 + one into TINTS, or SINGLE.

    hub: [G, 2] frame and token. size: [G] tokens. grid: (rows, cols). A group's first choice is a
    function of its hub's place alone; among the twelve largest the larger group gets its choice
    first, so that all twelve differ. Groups of two or more beyond those get a tint, also by hub.
    """
    choice = _first_choice(hub, grid)
    out = (len(PALETTE) + choice % len(TINTS)).to(torch.uint8)
    free = set(range(len(PALETTE)))
    for group in _largest(size, len(PALETTE)):
        tries = ((int(choice[group]) + 5 * k) % len(PALETTE) for k in range(len(PALETTE)))
        out[group] = taken = next(colour for colour in tries if colour in free)
        free.remove(taken)
    out[size < 2] = SINGLE
    return out


def colour_of(index: int) -> str | None:
    """The colour behind an index as #rrggbb; None for a single token."""
    if index == SINGLE:
        return None
    return PALETTE[index] if index < len(PALETTE) else TINTS[index - len(PALETTE)]


def _first_choice(hub: Tensor, grid: tuple[int, int]) -> Tensor:
    """[G] int64 in 0..11: a frame is cut into 3 x 4 zones, each with a colour of its own."""
    rows, cols = grid
    row, col = hub[:, 1] // cols, hub[:, 1] % cols
    return (row * 3 // rows) * 4 + col * 4 // cols


def _largest(size: Tensor, count: int) -> list[int]:
    """The `count` largest groups of two or more, largest first, ties to the smaller index."""
    order = torch.sort(size, descending=True, stable=True).indices[:count]
    return [int(group) for group in order if size[group] > 1]
