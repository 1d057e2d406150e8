"""The graph {i-j : cosine > tau}: its components, its hubs, and all thresholds at once.

Three ideas carry this file. Components need few of the edges: union.py picks some that join all
that is joined. A component is known by its hub, the token of most edges, and hubs order components.
And a threshold leaves together what a maximum spanning forest leaves together once its edges at or
below tau are cut: `spanning_forest` looks at all similarities once, `Forest` then answers for every
tau without them.

Knows what follows from one matrix of similarities; cosine.py makes it (`unit` and `cosines` are to
be had here too). Leaves joining vertices to union.py, sets too large for a matrix to tiles.py, and
what components are used for to steps.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from scissor.closure import linked, smallest
from scissor.cosine import above, cosines, cut, floor32, similarities, tally, unit
from scissor.union import few, joins, unite, with_numpy

__all__ = [
    "Forest",
    "components",
    "cosines",
    "degrees",
    "edges_above",
    "ends",
    "frame_components",
    "frame_graphs",
    "hub_order",
    "spanning_forest",
    "unit",
]


def components(similar: Tensor, tau: float) -> Tensor:
    """Exact components of {i-j : similar[i, j] > tau}, from the upper triangle of [n, n].

    Returns labels [n] int64, numbered 0.. by smallest member.
    """
    return frame_components(edges_above(similar[None], cut(tau)))[0]


def degrees(similar: Tensor, tau: float) -> Tensor:
    """[..., n] int64: how many others are above tau, from the upper triangles of [..., n, n]."""
    return ends(edges_above(similar, cut(tau)))


def edges_above(products: Tensor, bound: float) -> Tensor:
    """Which products [..., n, n] with i < j exceed a bound (see `cut`): bool."""
    return upper_half(above(products, bound))


def upper_half(hits: Tensor) -> Tensor:
    """The hits [..., n, n] with i < j, in place."""
    upper = torch.ones(hits.shape[-2:], dtype=torch.bool, device=hits.device).triu_(1)
    if not with_numpy(hits):
        return hits.logical_and_(upper)
    found = hits.numpy()
    found &= upper.numpy()
    return hits


def frame_graphs(products: Tensor, bound: float, joined: bool = True) -> tuple[Tensor, Tensor]:
    """(labels, degree), each [T, N], of the graphs of products [T, N, N].

    An edge i < j exceeds the bound (see `cut`). Labels are in [0, N), equal within a component;
    joined False: they are not looked for.
    """
    frames, n = products.shape[:2]
    hits = above(products, bound)
    if not with_numpy(hits):
        return linked(hits, joined)
    vertices = torch.arange(frames * n, device=products.device).view(frames, n)
    listed = few(hits)
    if listed is None:
        edges = upper_half(hits)
        return frame_components(edges) if joined else vertices, ends(edges)
    frame, i, j = (at[listed[1] < listed[2]] for at in listed)
    u, v = i + n * frame, j + n * frame
    degree = (u.bincount(minlength=frames * n) + v.bincount(minlength=frames * n)).view(frames, n)
    if not joined:
        return vertices, degree
    return _numbered(unite(vertices.flatten(), u, v).view(frames, n) - vertices[:, :1]), degree


def frame_components(edges: Tensor) -> Tensor:
    """[T, N] int64 labels of T graphs with edges [T, N, N], numbered 0.. by smallest member."""
    if not with_numpy(edges):
        return _numbered(smallest(edges | edges.mT))
    frames, n = edges.shape[:2]
    vertices = torch.arange(frames * n, device=edges.device)
    ids = vertices.view(frames, n)
    labels = unite(vertices, *joins(edges, ids, ids))
    return _numbered(labels.view(frames, n) - ids[:, :1])


def _numbered(smallest: Tensor) -> Tensor:
    """Labels [T, N] that name the smallest member -> numbered 0.. in that order."""
    first = smallest == torch.arange(smallest.shape[-1], device=smallest.device)
    return (first.cumsum(-1) - 1).gather(-1, smallest)


def ends(edges: Tensor) -> Tensor:
    """[..., n] int64: how many edges end in every vertex, from edges i < j [..., n, n] bool."""
    return tally(edges, -1) + tally(edges, -2)


def hub_order(labels: Tensor, degree: Tensor) -> tuple[Tensor, Tensor]:
    """Components numbered by hub: (component [n], hub [C]), hub ascending.

    The hub of a component is its token of largest degree, ties to the smallest index.
    labels: [n] int64 in [0, n), equal within a component. degree: [n] int64.
    """
    n = len(labels)
    index = torch.arange(n, device=labels.device)
    key = torch.sub(index, degree, alpha=n)  # the least of a component is its hub's
    best = torch.full_like(key, n).scatter_reduce_(0, labels, key, "amin")
    hub_of = (best % max(n, 1))[labels]
    is_hub = hub_of == index
    hub = is_hub.nonzero().flatten()
    if with_numpy(labels):
        return (is_hub.cumsum(0) - 1)[hub_of], hub
    return torch.searchsorted(hub, hub_of), hub  # more work, but a single launch


@dataclass(frozen=True, eq=False)
class Forest:
    """Maximum spanning trees of T similarity graphs of N tokens each, in Prim's visiting order.

    In that order the components at any tau are contiguous runs, broken where weight <= tau: one
    forest answers for every threshold.

    order: [T, N] int64, tokens as visited. parent: [T, N] int64, the token that order[t, k] hangs
    on (itself for k = 0). weight: [T, N] float32, the similarity of that edge (-inf for k = 0).
    """

    order: Tensor
    parent: Tensor
    weight: Tensor

    def counts(self, tau: float) -> Tensor:
        """[T] int64: components of every graph at tau, exact."""
        return (self.weight <= floor32(tau)).sum(-1)

    def labels(self, tau: float) -> Tensor:
        """[T, N] int64: components numbered 0.. inside each graph by smallest member, exact."""
        if self.order.numel() == 0:
            return torch.zeros_like(self.order)
        run = (self.weight <= floor32(tau)).cumsum(-1) - 1
        none = torch.full_like(self.order, self.order.shape[-1])
        smallest = none.scatter_reduce(-1, run, self.order, "amin").gather(-1, run)
        return _numbered(torch.empty_like(self.order).scatter_(-1, self.order, smallest))

    def edges(self, tau: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(frame, i, j, weight), each [E]: the edges above tau, exactly those that join."""
        frame, k = (self.weight > floor32(tau)).nonzero(as_tuple=True)
        return frame, self.parent[frame, k], self.order[frame, k], self.weight[frame, k]


def spanning_forest(units: Tensor, similar: Tensor | None = None) -> Forest:
    """Prim's algorithm on T graphs at once, over unit vectors [T, N, D].

    similar: [T, N, N] as `similarities` makes it; without it, rows are made as they are visited.
    """
    frames, n = units.shape[:2]
    index = torch.arange(frames, device=units.device)
    if similar is None:
        return _prim(frames, n, lambda v: similarities(units[index, v, None], units)[:, 0], index)
    return _prim(frames, n, lambda v: similar[index, v], index)


def _prim(frames: int, n: int, row: Callable[[Tensor], Tensor], index: Tensor) -> Forest:
    """row(v): [T, N], the similarities of token v[t] of every graph t to its others."""
    order = torch.zeros(n, frames, dtype=torch.int64, device=index.device)
    parent = torch.zeros_like(order)
    weight = torch.full((n, frames), -math.inf, device=index.device)
    best = torch.full((frames, n), -math.inf, device=index.device)
    source = torch.zeros(frames, n, dtype=torch.int64, device=index.device)
    closed = torch.zeros(frames, n, device=index.device)  # -inf where visited
    for k in range(n):
        if k:
            weight[k], order[k] = best.max(-1)
            parent[k] = source[index, order[k]]
        closed[index, order[k]] = -math.inf
        reach = row(order[k]) + closed
        source = torch.where(reach > best, order[k][:, None], source)
        best = torch.maximum(reach, best + closed)
    return Forest(*(x.T.contiguous() for x in (order, parent, weight)))
