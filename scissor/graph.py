"""Tokens -> cosine similarities, connected components, maximum spanning forests.

Knows the graph {i-j : cosine > tau} of a set of tokens and everything that follows from one
similarity matrix. Leaves sets too large for a matrix to tiles.py, and what components are used for
to scc.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

DUPLICATE = 1 - 2e-6  # a cosine above this counts as exactly 1: what is missing is float32 noise


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Float32 products mean float32 here: no TF32, no bf16 passes, no autocast; undone at exit."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def unit(x: Tensor) -> Tensor:
    """[..., n, D] of any float type -> float32 vectors of length 1; zero vectors stay zero."""
    x = x.float()
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    if x.numel() and not _safe(norm):  # lengths whose squares leave float32: scale first
        x = x / x.abs().amax(-1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / norm.where(norm > 0, 1.0)


def _safe(norm: Tensor) -> bool:
    low, high = torch.aminmax(norm)
    return bool((low > 1e-15) & (high < 1e18))


def snap(product: Tensor) -> Tensor:
    """Products of unit vectors as cosines, in place: within [-1, 1], duplicates exactly 1."""
    return product.clamp_(-1, 1).masked_fill_(product > DUPLICATE, 1.0)


def similarities(units: Tensor, others: Tensor | None = None) -> Tensor:
    """Cosines of unit vectors: [..., n, n], symmetric to the bit, or [..., n, m] with others."""
    if others is not None:
        return snap(units @ others.mT)
    upper = snap(units @ units.mT).triu_()
    return upper + upper.triu(1).mT


def cosines(x: Tensor, y: Tensor | None = None) -> Tensor:
    """Cosine similarities in float32 of tokens [..., n, D], among themselves or with y [..., m, D].

    In [-1, 1]; above 1 - 2e-6 exactly 1; a zero vector has similarity 0 to everything, itself too.
    """
    with full_precision(x.device):
        return similarities(unit(x), None if y is None else unit(y))


def floor32(tau: float) -> float:
    """The largest float32 not above tau: `similarity > tau` in float32 is then exact for any tau.

    Raises ValueError unless -1 <= tau <= 1.
    """
    if not -1 <= tau <= 1:
        raise ValueError(f"tau is a cosine: it must be between -1 and 1, not {tau}")
    near = np.float32(tau)
    return float(near if float(near) <= tau else np.nextafter(near, np.float32(-2)))


def unite(labels: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """Labels after the vertices i[e] and j[e] have been joined, for every edge e.

    labels: [n] int64, for each vertex the smallest member of its component, before and after.
    """
    if i.numel() == 0:
        return labels
    if labels.device.type != "cpu":
        return _hook(labels, i, j)
    n = len(labels)
    a, b = labels[i].numpy(), labels[j].numpy()
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    count, component = connected_components(graph, directed=False)
    smallest = np.empty(count, np.int64)
    smallest[component[::-1]] = np.arange(n - 1, -1, -1)  # of equal indices the last write stays
    return torch.from_numpy(smallest[component])[labels]


def _hook(labels: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """`unite` in whole-tensor steps: hang larger roots on smaller ones, then shorten the paths."""
    root = labels
    while True:
        a, b = root[i], root[j]
        if bool((a == b).all()):
            return root
        root = root.scatter_reduce(0, torch.maximum(a, b), torch.minimum(a, b), "amin")
        while not torch.equal(root, shorter := root[root]):
            root = shorter


def components(similar: Tensor, tau: float) -> Tensor:
    """Exact components of {i-j : similar[i, j] > tau}, from the upper triangle of [n, n].

    Returns labels [n] int64, numbered 0.. by smallest member.
    """
    n = len(similar)
    i, j = (similar > floor32(tau)).triu_(1).nonzero(as_tuple=True)
    return renumber(unite(torch.arange(n, device=similar.device), i, j))


def frame_components(similar: Tensor, tau: float) -> Tensor:
    """`components` of T graphs at once: [T, N, N] -> labels [T, N] int64, numbered as there."""
    frames, n = similar.shape[:2]
    frame, i, j = (similar > floor32(tau)).triu_(1).nonzero(as_tuple=True)
    labels = torch.arange(frames * n, device=similar.device)
    labels = unite(labels, frame * n + i, frame * n + j).view(frames, n)
    labels = labels - n * torch.arange(frames, device=similar.device)[:, None]
    first = labels == torch.arange(n, device=similar.device)
    return (first.cumsum(-1) - 1).gather(-1, labels)


def renumber(labels: Tensor) -> Tensor:
    """Labels that name the smallest member [n] -> labels numbered 0.. in that order."""
    first = labels == torch.arange(len(labels), device=labels.device)
    return (first.cumsum(0) - 1)[labels]


def degrees(similar: Tensor, tau: float) -> Tensor:
    """[..., n] int64: how many other tokens are above tau, from symmetric [..., n, n]."""
    hits = similar > (tau := floor32(tau))
    own = torch.diagonal(similar, dim1=-2, dim2=-1) > tau
    return hits.view(torch.uint8).sum(-1, dtype=torch.int64) - own.long()


def hub_order(labels: Tensor, degree: Tensor) -> tuple[Tensor, Tensor]:
    """Components numbered by hub: (component [n], hub [C]), hub ascending.

    The hub of a component is its token of largest degree, ties to the smallest index.
    labels: [n] int64 in [0, n), equal within a component. degree: [n] int64.
    """
    n = len(labels)
    index = torch.arange(n, device=labels.device)
    key = degree * n + (n - 1 - index)
    best = torch.full_like(key, -1).scatter_reduce(0, labels, key, "amax")
    hub = (n - 1 - best % max(n, 1))[labels]
    is_hub = hub == index
    return (is_hub.cumsum(0) - 1)[hub], is_hub.nonzero().flatten()


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
        label = torch.empty_like(self.order).scatter_(-1, self.order, smallest)
        first = label == torch.arange(label.shape[-1], device=label.device)
        return (first.cumsum(-1) - 1).gather(-1, label)

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
