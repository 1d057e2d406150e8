"""Colours of groups in a stream, which must not jump as groups grow, join and leave.

Knows how a new reading of the same frames takes over the colours of the one before. Leaves first
choices to palette.py and the groups to stream.py.
"""

from __future__ import annotations

import torch
from torch import Tensor

from scissor.draw.palette import PALETTE, colour_indices
from scissor.types import Compression


def steady_colours(made: Compression, size: Tensor, before: Tensor | None = None) -> Tensor:
    """[K] uint8 as palette.colour_indices; each of the largest groups keeps what its tokens had.

    size: [K], tokens of each group in sight. before: [T', N] uint8, the colours of the reading one
    frame earlier, its last frame being the last but one of this reading; None for the first.
    """
    out = colour_indices(made.hub, size, made.grid)
    frames = len(made.group) - 1
    if before is None or not 0 < frames <= len(before):
        return out
    votes = _votes(made.group[:frames], before[-frames:], len(out))
    # who can point to most tokens chooses first, so a newcomer takes nobody's colour
    largest = (out < len(PALETTE)).nonzero().flatten().tolist()
    largest.sort(key=lambda group: (-int(votes[group].max()), -int(size[group]), group))
    free = list(range(len(PALETTE)))
    for group in largest:
        wish = int(out[group])
        taken = min(free, key=lambda c: (-int(votes[group, c]), (c - wish) * 5 % len(PALETTE)))
        free.remove(taken)
        out[group] = taken
    return out


def _votes(group: Tensor, colours: Tensor, groups: int) -> Tensor:
    """[K, 12] int64: how many tokens of each group had each colour of the palette."""
    coloured = colours < len(PALETTE)
    pairs = group[coloured] * len(PALETTE) + colours[coloured]
    return torch.bincount(pairs, minlength=groups * len(PALETTE)).view(groups, len(PALETTE))
