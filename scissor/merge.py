"""The merge: every input token enters the average of the kept token it is nearest to.

The last step of LLaVA-Scissor (arXiv 2506.21862), section 3. Most of its work is a search that step
2 has half done: what it found not alike bounds how near two tokens can be, and only the rest is
multiplied out. Leaves how nearest tokens are found to tiles.py.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import pad

from scissor.cosine import snap, unit
from scissor.steps import Plan, Prepared, Step
from scissor.tiles import first_alike, nearest, nearest_beyond
from scissor.types import cell_places
from scissor.union import sizes, totals

ROWS = 512  # rows gathered at a time: they stay in the processor's cache


def merged(clip: Prepared, one: Step, two: Step, plan: Plan) -> tuple[Tensor, Tensor]:
    """(kept tokens [K, D], share [T*N]): every input token enters the average it is nearest to.

    With s_j the tokens of step 2 and a(i) = argmax_j cos(x_i, s_j), the lowest j on ties:
    kept_j = (s_j + sum of the x_i with a(i) = j) / (1 + how many they are).
    """
    units, anchors = clip.units.flatten(0, 1), unit(two.tokens)
    if len(anchors) == len(units):  # nothing was joined
        share = first_alike(units)
    elif _worth_bounding(units, one, two, plan):
        share = nearest_beyond(units, anchors, *_bounds(units, anchors, one, two))
    else:
        share = nearest(units, anchors)
    size = 1 + sizes(share, len(two.hub))
    kept = totals(clip.tokens.flatten(0, 1), share, len(two.hub)).add_(two.tokens)
    kept = kept.div_(size[:, None])
    return kept, share


def share_places(share: Tensor, hub: Tensor, frames: int, grid: tuple[int, int]) -> Tensor:
    """[K, 3] float32: mean frame, row and column of every share, of its hub where it is empty.

    share: [T*N], the share of every token. hub: [K], indices of tokens.
    """
    cells = _counted_cells(frames, grid, share.device)
    total = torch.zeros(len(hub), 4, device=share.device).index_add_(0, share, cells)
    total = torch.where(total[:, 3:] > 0, total, cells[hub])
    return total[:, :3] / total[:, 3:]


@lru_cache(maxsize=8)
def _counted_cells(frames: int, grid: tuple[int, int], device: torch.device) -> Tensor:
    """[frames*rows*cols, 4] float32: frame, row and column of every cell, and 1."""
    return pad(cell_places(frames, grid, device), (0, 1), value=1.0)


def _worth_bounding(units: Tensor, one: Step, two: Step, plan: Plan) -> bool:
    """The bounds hold after an exact step 2; they pay where most tokens stay alone in step 1."""
    exact = two.tau is not None and plan.epsilon is None
    return exact and units.device.type == "cpu" and len(one.hub) > 0.5 * len(units)


def _bounds(
    units: Tensor, anchors: Tensor, one: Step, two: Step
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What `nearest_beyond` needs, from what step 2 has found out.

    A step-1 token m is within tau of no member of another group j, so cos(m, s_j) is at most
    tau * (mean length of j's members) / (length of s_j): reach. A token x_i at angle a from its m
    and b from its own s can be nearer to s_j only if that is at least cos(a + b): floor. Rounding
    is on the safe side of both.
    """
    group = two.component[one.component]
    length = torch.linalg.vector_norm(one.tokens, dim=1)
    mean = torch.zeros(len(anchors), device=units.device)
    mean = mean.index_add_(0, two.component, length) / sizes(two.component, len(mean))
    lone = torch.linalg.vector_norm(two.tokens, dim=1)
    reach = torch.where(lone > 0, two.tau * mean / lone, 1.0).nan_to_num(1.0) + 4e-6
    to_mean = _cosines_to(units, one.tokens, one.component, length)
    to_own = _cosines_to(units, anchors, group, torch.linalg.vector_norm(anchors, dim=1))
    sines = ((1 - x.square() + 1e-6).clamp_min(0).sqrt() for x in (to_mean, to_own))
    floor = to_mean * to_own - math.prod(sines)
    floor = torch.where(to_mean + to_own > 0, floor, -math.inf)  # a + b past a half turn
    return group, snap(to_own), floor, reach


def _cosines_to(units: Tensor, means: Tensor, part: Tensor, length: Tensor) -> Tensor:
    """[n]: the cosine of every unit vector to the mean of its part; 0 where that has no length.

    means: [k, D], of the given length [k]. A vector alone in its part is its mean: no product.
    """
    cosine = (length > 0).float()[part]
    for rows in (sizes(part, len(means))[part] > 1).nonzero().flatten().split(ROWS):
        at = part[rows]
        dot = torch.linalg.vecdot(units[rows], means[at])
        cosine[rows] = torch.where(length[at] > 0, dot / length[at], 0.0)
    return cosine
