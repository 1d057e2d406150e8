"""The paper's approximation of components, eq. (2): the edges of a random sample of vertices.

Knows how many vertices to sample and what becomes of those that none reaches. Leaves exact
components to tiles.py.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from scissor.cosine import above, cut
from scissor.tiles import link, tile_size
from scissor.union import joins, unite


def sampled_link(
    units: Tensor, tau: float, epsilon: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """`link` by the paper's approximation, eq. (2): only the edges of sampled vertices are known.

    The sample has ceil(ln n / epsilon^2) of the n vertices (all of them: exact). A vertex that no
    sampled vertex reaches is a component of its own, so more tokens are kept than there are
    components, and which depends on the generator. degree counts the known edges.
    """
    n, bound, tile = len(units), cut(tau), tile_size(units.device)
    size = sample_size(n, epsilon)
    if size >= n:
        return link(units, tau)
    sample = torch.randperm(n, generator=generator)[:size].sort().values.to(units.device)
    labels = index = torch.arange(n, device=units.device)
    degree = torch.zeros_like(labels)
    sampled = torch.zeros_like(labels, dtype=torch.bool)
    sampled[sample] = True
    for rows in sample.split(tile):
        hits = above(units[rows] @ units.T, bound)
        hits[torch.arange(len(rows), device=rows.device), rows] = False
        degree[rows] += hits.sum(1)
        degree += (hits & ~sampled).sum(0)
        labels = unite(labels, *joins(hits[None], rows[None], index[None], labels))
    return labels, degree


def sample_size(n: int, epsilon: float) -> int:
    """Vertices that eq. (2) samples of n: ceil(ln n / epsilon^2), at most n."""
    if not epsilon > 0:
        raise ValueError(f"epsilon must be above 0, not {epsilon}")
    return min(n, max(1, math.ceil(math.log(max(n, 1)) / epsilon**2)))
