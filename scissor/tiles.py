"""Graphs too large for a similarity matrix: components, spanning edges and nearest anchors.

Knows how to walk the upper triangle of the cosines in tiles that stay in the processor's cache, and
to keep of a tile only what its edges join. Leaves single matrices to graph.py and the method to
steps.py and merge.py. Memory is O(n * tile), never n x n.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from scissor.closure import BYTES, linked
from scissor.cosine import DUPLICATE, WHOLE, above, cut, snap, tally, upper_products
from scissor.graph import edges_above, upper_half
from scissor.union import few, joined, joins, spread, unite, with_numpy

CPU_TILE = 768  # 2 MB of float32: in the cores' caches between the product and what reads it
GPU_TILE = 4096  # 64 MB: few launches
GPU_STRIP = 1024, 2**14  # rows and columns: as large, but only from the diagonal on
WHOLE_HITS = 2**28  # bytes of a GPU's matrix of hits, 16,384 vertices; it takes four times these
KEPT_TILES = 2**28  # bytes of products kept between Boruvka's rounds; beyond, made again


def tile_size(device: torch.device) -> int:
    """Rows and columns of a tile on this device."""
    return CPU_TILE if device.type == "cpu" else GPU_TILE


def upper_tiles(units: Tensor) -> Iterator[tuple[int, int, Tensor]]:
    """(first row, first column, products) of the tiles on and above the diagonal of [n, n].

    The products of unit vectors [n, D], not yet snapped; where both are one, of i <= j alone. A
    tile lies in the memory of the one before.
    """
    if not with_numpy(units):
        return (yield from _upper_strips(units))
    n, tile = len(units), tile_size(units.device)
    tile = -(-n // max(-(-n // tile), 1))  # as many tiles, but equal ones: a narrow one is slow
    memory = torch.empty(min(n, tile) ** 2, device=units.device)
    for r in range(0, n, max(tile, 1)):
        rows = units[r : r + tile]
        yield r, r, upper_products(rows[None])[0]
        for c in range(r + tile, n, tile):
            columns = units[c : c + tile]
            product = memory[: len(rows) * len(columns)].view(len(rows), len(columns))
            yield r, c, torch.mm(rows, columns.T, out=product)


def _upper_strips(units: Tensor) -> Iterator[tuple[int, int, Tensor]]:
    """`upper_tiles` on a GPU: all at once where they are few, else few strips."""
    n, (strip, most) = len(units), GPU_STRIP
    strip = n if n <= WHOLE else strip
    for r in range(0, n, max(strip, 1)):
        for c in range(r, n, most):
            yield r, c, units[r : r + strip] @ units[c : c + most].T


def link(units: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """(labels [n], degree [n]) int64 of the graph of unit vectors [n, D] at tau, exact.

    A label is the smallest member of the component. Edges wait until there are as many as vertices
    and are then contracted: of a tile only what joins is ever listed. (A GPU reads whole hits.)
    """
    n, bound = len(units), cut(tau)
    if not with_numpy(units) and bound < math.inf:
        return (_link_whole if n * n <= WHOLE_HITS else _link_tiles)(units, bound)
    labels = index = torch.arange(n, device=units.device)
    degree = torch.zeros_like(index)
    if bound == math.inf:
        return labels, degree
    edges, waiting = [], 0
    for r, c, product in upper_tiles(units):
        rows, columns = slice(r, r + product.shape[0]), slice(c, c + product.shape[1])
        hits = above(product, bound)
        listed = few(hits[None])
        if listed is not None:
            edges.append(_within(listed, r, c))
            for ends, part, size in zip(edges[-1], (rows, columns), hits.shape, strict=True):
                degree[part] += (ends - part.start).bincount(minlength=size)
        else:
            hits = upper_half(hits) if r == c else hits
            degree[rows] += tally(hits, 1)
            degree[columns] += tally(hits, 0)
            known = None if labels is index else labels
            edges.append(joins(hits[None], index[None, rows], index[None, columns], known))
        waiting += len(edges[-1][0])
        if waiting > n:
            labels = _contract(labels, edges)
            edges, waiting = [], 0
    return _contract(labels, edges), degree


def _link_whole(units: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    """`link` on a GPU: every hit in one matrix, its rows padded to what closure.py reads best."""
    n = len(units)
    padded = n if n <= WHOLE else BYTES * -(-n // BYTES)
    make = torch.empty if padded == n else torch.zeros
    hits = make(1, padded, padded, dtype=torch.bool, device=units.device)
    for r, c, product in upper_tiles(units):
        torch.gt(product, bound, out=hits[0, r : r + len(product), c : c + product.shape[1]])
    return tuple(found[0, :n] for found in linked(hits))


def _link_tiles(units: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    """`link` on a GPU: labels spread over one tile of hits after another."""
    labels = index = torch.arange(len(units), device=units.device)
    degree = torch.zeros_like(index)
    for r, c, product in upper_tiles(units):
        rows, columns = slice(r, r + product.shape[0]), slice(c, c + product.shape[1])
        hits = edges_above(product, bound) if r == c else product > bound
        degree[rows] += hits.sum(1)
        degree[columns] += hits.sum(0)
        labels = spread(labels, hits[None], index[None, rows], index[None, columns])
    return labels, degree


def _within(listed: tuple[Tensor, Tensor, Tensor], r: int, c: int) -> tuple[Tensor, Tensor]:
    """The listed hits of the tile at row r, column c as edges (u, v), u < v."""
    u, v = listed[1] + r, listed[2] + c
    return (u[u < v], v[u < v]) if r == c else (u, v)


def _contract(labels: Tensor, edges: list[tuple[Tensor, Tensor]]) -> Tensor:
    if not edges:
        return labels
    u, v = zip(*edges, strict=True)
    return unite(labels, torch.cat(u), torch.cat(v))


def nearest(units: Tensor, anchors: Tensor) -> Tensor:
    """[n] int64: each unit vector's anchor [K, D] of largest cosine, the lowest on ties."""
    if len(anchors) < 2:
        return torch.zeros(len(units), dtype=torch.int64, device=units.device)
    tile = tile_size(units.device)
    rows = 4 * tile * max(1, tile // len(anchors))  # products of four tiles: fewer calls
    return joined([_best_anchor(part, anchors)[1] for part in units.split(rows)])


def nearest_beyond(
    units: Tensor, anchors: Tensor, own: Tensor, similar: Tensor, floor: Tensor, reach: Tensor
) -> Tensor:
    """`nearest` where most vectors are known to be nearest to an anchor of their own.

    own: [n], that anchor. similar: [n], the cosine to it. Only anchors j with reach[j] >= floor[i]
    can be nearer to vector i: reach [K], floor [n]. The products form a staircase, the vectors with
    most rivals first, and end where none has any.
    """
    order = reach.argsort(descending=True)
    rivals = len(anchors) - torch.searchsorted(reach[order].flip(0), floor)
    share = own.clone()
    for rows in rivals.argsort(descending=True).split(-(-tile_size(units.device) // 2)):
        most = int(rivals[rows[0]])
        if most == 0:
            break
        columns = order[:most].sort().values
        value, at = _best_anchor(units[rows], anchors[columns])
        at, mine = columns[at], own[rows]
        nearer = (value > similar[rows]) | ((value == similar[rows]) & (at < mine))
        share[rows] = torch.where(nearer, at, mine)
    return share


def first_alike(units: Tensor) -> Tensor:
    """`nearest` of unit vectors [n, D] among themselves: the first whose cosine counts as 1."""
    share = torch.arange(len(units), device=units.device)
    for r, c, product in upper_tiles(units):
        hits = edges_above(product, DUPLICATE) if r == c else above(product, DUPLICATE)
        if hits.any():
            found, first = hits.to(torch.uint8).max(0)
            mine = share[c : c + hits.shape[1]]
            share[c : c + hits.shape[1]] = torch.where(found > 0, (first + r).minimum(mine), mine)
    share[~units.any(1)] = 0  # a zero vector is as far from one as from another
    return share


def _best_anchor(rows: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
    """(cosine [r], index [r]) of the anchor nearest to each row, the lowest on ties."""
    if len(anchors) <= (tile := tile_size(rows.device)):
        return _nearest_column(rows @ anchors.T)
    value = torch.full((len(rows),), -math.inf, device=rows.device)
    index = torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
    start = 0
    for columns in anchors.split(tile):
        product = rows @ columns.T
        best, at = _nearest_column(product)
        nearer = best > value
        value = torch.where(nearer, best, value)
        index = torch.where(nearer, at + start, index)
        start += len(columns)
    return value, index


def _nearest_column(product: Tensor) -> tuple[Tensor, Tensor]:
    """(cosine [r], index [r]) of every row's largest product, the first of ties; 1s all tie."""
    if not with_numpy(product):
        return tuple(product.masked_fill_(product > DUPLICATE, 1.0).max(1))
    best, at = _largest(product, 1)
    same = np.flatnonzero(best.numpy() > DUPLICATE)
    if len(same):
        at.numpy()[same] = (product.numpy()[same] > DUPLICATE).argmax(1)
        best.numpy()[same] = 1.0
    return best, at


def _largest(tile: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """tile.max(dim), the first of ties; numpy is several times quicker at it on a CPU."""
    if not with_numpy(tile):
        return tuple(tile.max(dim))
    t = tile.numpy()
    if dim == 1:
        at = t.argmax(1)
        return torch.from_numpy(t[np.arange(len(t)), at]), torch.from_numpy(at)
    value = t.max(0)
    row, column = np.divmod(np.flatnonzero(t == value), t.shape[1])
    at = np.zeros(t.shape[1], np.int64)
    at[column[::-1]] = row[::-1]  # of equal columns the last write stays: the smallest row
    return torch.from_numpy(value), torch.from_numpy(at)


def heaviest_edges(units: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` heaviest edges (i, j, weight) of the maximum spanning forest, heaviest first.

    units: [n, D] unit vectors; count <= n - 1. Edges are ordered by falling weight, then by i < j:
    a total order, so ties (duplicate tokens) leave one answer. Boruvka's algorithm: each round
    joins every component to its best neighbour, and the rounds end when none of the edges still
    missing can be among the heaviest. Products are kept between rounds up to KEPT_TILES bytes. (At
    no size that we measured was Prim's algorithm over a whole matrix quicker.)
    """
    n = len(units)
    labels = torch.arange(n, device=units.device)
    edges = labels[:0], labels[:0], torch.zeros(0, device=units.device)
    kept = list(_edge_tiles(units, own=True)) if 2 * n * n <= KEPT_TILES else None
    while count > 0:
        new = _best_edges(labels, *_best_outside(kept or _edge_tiles(units, own=False), labels))
        last = edges[2][-1] if len(edges[2]) == count else -math.inf
        if not bool((new[2] >= last).any()):
            break
        labels = unite(labels, new[0], new[1])
        edges = tuple(torch.cat(both) for both in zip(edges, new, strict=True))
        order = _heavy_first(*edges)[:count]
        edges = tuple(end[order] for end in edges)
    return tuple(end[:count] for end in edges)


def _edge_tiles(units: Tensor, own: bool) -> Iterator[tuple[int, int, Tensor]]:
    """`upper_tiles` as cosines, -inf where there is no edge i < j; own: each in its own memory."""
    for r, c, product in upper_tiles(units):
        tile = snap(product.clone() if own else product)
        if r == c:
            index = torch.arange(max(tile.shape), device=tile.device)
            tile.masked_fill_(index[: len(tile), None] >= index[: tile.shape[1]], -math.inf)
        yield r, c, tile


def _best_outside(
    tiles: Iterator[tuple[int, int, Tensor]], labels: Tensor
) -> tuple[Tensor, Tensor]:
    """For every vertex its heaviest edge out of its component: (weight [n], other end [n]).

    -inf where there is none; of ties the smallest other end. Edges inside components leave the
    tiles for good.
    """
    weight = torch.full((len(labels),), -math.inf, device=labels.device)
    other = torch.zeros_like(labels)
    for r, c, tile in tiles:
        rows, columns = slice(r, r + tile.shape[0]), slice(c, c + tile.shape[1])
        tile.masked_fill_(labels[rows, None] == labels[None, columns], -math.inf)
        for mine, dim, start in ((columns, 0, r), (rows, 1, c)):  # smaller other ends come first
            best, at = _largest(tile, dim)
            heavier = best > weight[mine]
            other[mine] = torch.where(heavier, at + start, other[mine])
            weight[mine] = torch.where(heavier, best, weight[mine])
    return weight, other


def _best_edges(labels: Tensor, weight: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Every component's heaviest outgoing edge, each once: (i, j, weight), i < j."""
    out = (weight > -math.inf).nonzero().flatten()
    i, j = torch.minimum(out, other[out]), torch.maximum(out, other[out])
    order = _heavy_first(i, j, weight[out])
    i, j, weight, label = i[order], j[order], weight[out][order], labels[out][order]
    rank = torch.arange(len(order), device=labels.device)
    first = torch.full_like(labels, len(order)).scatter_reduce(0, label, rank, "amin")
    best = first[label] == rank
    i, j, weight = i[best], j[best], weight[best]
    again = torch.zeros_like(i, dtype=torch.bool)  # chosen from both ends: neighbours in this order
    again[1:] = (i[1:] == i[:-1]) & (j[1:] == j[:-1])
    return i[~again], j[~again], weight[~again]


def _heavy_first(i: Tensor, j: Tensor, weight: Tensor) -> Tensor:
    """The order of edges by (-weight, i, j): stable sorts, the least key first."""
    order = j.argsort(stable=True)
    order = order[i[order].argsort(stable=True)]
    return order[weight[order].argsort(descending=True, stable=True)]
