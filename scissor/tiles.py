"""Components and spanning forests of token sets too large for a similarity matrix.

Knows how to walk the upper triangle of the similarities in tiles and to keep nothing of a tile but
what its edges join. Leaves single matrices to graph.py and the method to scc.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from scissor.graph import floor32, similarities, unite

ROWS = 1024
COLUMNS = 8192


def upper_tiles(
    units: Tensor, rows: int = ROWS, columns: int = COLUMNS
) -> Iterator[tuple[int, int, Tensor]]:
    """(first row, first column, cosines) of the tiles that cover the upper triangle of [n, n].

    Tiles start on the diagonal; what they hold on or below it is not an edge (see `above`).
    """
    for r in range(0, len(units), rows):
        for c in range(r, len(units), columns):
            yield r, c, similarities(units[r : r + rows], units[c : c + columns])


def above(tile: Tensor, tau32: float, r: int, c: int) -> Tensor:
    """Which entries of a tile are edges i < j of the graph at a float32 threshold; bool."""
    hits = tile > tau32
    return hits.triu_(1) if r == c else hits.logical_and_(_right_of(tile, r, c))


def _right_of(tile: Tensor, r: int, c: int) -> Tensor:
    index = torch.arange(max(r + tile.shape[0], c + tile.shape[1]), device=tile.device)
    return index[r : r + tile.shape[0], None] < index[None, c : c + tile.shape[1]]


def link(units: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """(labels [n], degree [n]) int64 of the graph of unit vectors [n, D] at tau, exact.

    A label is the smallest member of the component. Memory is one tile and the edges it adds.
    """
    n, tau32 = len(units), floor32(tau)
    labels = torch.arange(n, device=units.device)
    degree = torch.zeros_like(labels)
    for r, c, tile in upper_tiles(units):
        hits = above(tile, tau32, r, c)
        degree[r : r + tile.shape[0]] += hits.sum(1)
        degree[c : c + tile.shape[1]] += hits.sum(0)
        i, j = hits.nonzero(as_tuple=True)
        labels = unite(labels, i + r, j + c)
    return labels, degree


def sampled_link(
    units: Tensor, tau: float, epsilon: float, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """`link` by the paper's approximation, eq. (2): only the edges of sampled vertices are known.

    The sample has ceil(ln n / epsilon^2) of the n vertices (all of them: exact). A vertex that no
    sampled vertex reaches is a component of its own, so more tokens are kept than there are
    components, and how many depends on the generator. degree counts known edges.
    """
    n = len(units)
    size = sample_size(n, epsilon)
    if size >= n:
        return link(units, tau)
    rows = torch.randperm(n, generator=generator)[:size].sort().values.to(units.device)
    labels = torch.arange(n, device=units.device)
    known = torch.zeros(n, dtype=torch.bool, device=units.device)
    known[rows] = True
    degree = torch.zeros_like(labels)
    for part in rows.split(ROWS):
        hits = similarities(units[part], units) > floor32(tau)
        hits[torch.arange(len(part), device=units.device), part] = False
        degree += (hits & ~known).sum(0)
        degree[part] += hits.sum(1)
        i, j = hits.nonzero(as_tuple=True)
        labels = unite(labels, part[i], j)
    return labels, degree


def sample_size(n: int, epsilon: float) -> int:
    """Vertices that eq. (2) samples of n: ceil(ln n / epsilon^2), at most n."""
    if not epsilon > 0:
        raise ValueError(f"epsilon must be above 0, not {epsilon}")
    return min(n, max(1, math.ceil(math.log(max(n, 1)) / epsilon**2)))


def heaviest_edges(units: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` heaviest edges (i, j, weight) of the maximum spanning forest, heaviest first.

    units: [n, D] unit vectors; count <= n - 1. Edges are ordered by falling weight, then by i < j:
    a total order, so ties (duplicate tokens) leave one answer. Boruvka's algorithm over tiles: each
    round joins every component to its best neighbour; ends once no missing edge can be among the
    heaviest.
    """
    n = len(units)
    labels = torch.arange(n, device=units.device)
    i = j = torch.zeros(0, dtype=torch.int64, device=units.device)
    weight = torch.zeros(0, device=units.device)
    while count > 0:
        a, b, w = _best_edges(labels, *_best_outside(units, labels))
        order = _heavy_first(i, j, weight)[:count]
        i, j, weight = i[order], j[order], weight[order]
        if len(i) == count and not bool((w >= weight[-1]).any()):
            break
        if len(a) == 0:
            break
        labels = unite(labels, a, b)
        i, j, weight = torch.cat([i, a]), torch.cat([j, b]), torch.cat([weight, w])
    return i[:count], j[:count], weight[:count]


def _heavy_first(i: Tensor, j: Tensor, weight: Tensor) -> Tensor:
    """The order of edges by (-weight, i, j): stable sorts, the least key first."""
    order = j.argsort(stable=True)
    order = order[i[order].argsort(stable=True)]
    return order[weight[order].argsort(descending=True, stable=True)]


def _best_outside(units: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """For every vertex its heaviest edge out of its component: (weight [n], other end [n]).

    -inf where the component is everything; of ties the smallest other end.
    """
    n = len(units)
    weight = torch.full((n,), -math.inf, device=units.device)
    other = torch.zeros(n, dtype=torch.int64, device=units.device)
    for r, c, tile in upper_tiles(units):
        rows, columns = slice(r, r + tile.shape[0]), slice(c, c + tile.shape[1])
        tile.masked_fill_(labels[rows, None] == labels[None, columns], -math.inf)
        tile.masked_fill_(~_right_of(tile, r, c), -math.inf)
        for mine, (best, at) in ((columns, tile.max(0)), (rows, tile.max(1))):
            at = at + (r if mine is columns else c)
            heavier = best > weight[mine]
            other[mine] = torch.where(heavier, at, other[mine])
            weight[mine] = torch.where(heavier, best, weight[mine])
    return weight, other


def _best_edges(labels: Tensor, weight: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Every component's heaviest outgoing edge, each once, as (i < j, weight)."""
    mine = torch.arange(len(labels), device=labels.device)
    out = weight > -math.inf
    mine, other, weight = mine[out], other[out], weight[out]
    i, j = torch.minimum(mine, other), torch.maximum(mine, other)
    order = _heavy_first(i, j, weight)
    i, j, weight, label = i[order], j[order], weight[order], labels[mine[order]]
    rank = torch.arange(len(order), device=labels.device)
    best = torch.full_like(labels, len(order)).scatter_reduce(0, label, rank, "amin")
    keep = torch.zeros_like(label, dtype=torch.bool)
    keep[best[best < len(order)]] = True
    i, j, weight = i[keep], j[keep], weight[keep]
    twice = (i[1:] == i[:-1]) & (j[1:] == j[:-1])  # chosen from both ends: neighbours in this order
    once = torch.cat([torch.ones_like(keep[:1]), ~twice])[: len(i)]
    return i[once], j[once], weight[once]


def nearest(units: Tensor, anchors: Tensor) -> Tensor:
    """[n] int64: each unit vector's anchor [K, D] of largest cosine, the lowest on ties."""
    if not len(units):
        return torch.zeros(0, dtype=torch.int64, device=units.device)
    return torch.cat([similarities(part, anchors).argmax(1) for part in units.split(ROWS)])
