"""Tokens -> cosine similarities, connected components, maximum spanning forests.

Knows the graph {i-j : cosine > tau} of a set of tokens and everything that follows from one
similarity matrix. Leaves joining vertices to union.py, sets too large for a matrix to tiles.py, and
what components are used for to steps.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from scissor.union import joins, unite, with_numpy

DUPLICATE = float(np.float32(1 - 2e-6))  # a cosine above it counts as 1: the rest is float32 noise


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Float32 products mean float32 here: no TF32, no bf16 passes, no autocast; undone at exit."""
    backend = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    setting = getattr(backend, "matmul", None)
    before = getattr(setting, "fp32_precision", None)
    if before is None:  # torch before 2.9
        before = torch.get_float32_matmul_precision()
        put, exact = torch.set_float32_matmul_precision, "highest"
    else:
        put, exact = partial(setattr, setting, "fp32_precision"), "ieee"
    put(exact)
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        put(before)


def unit(x: Tensor) -> Tensor:
    """[..., n, D] of any float type -> float32 vectors of length 1; zero vectors stay zero.

    Raises ValueError that names the first vector with a value that is NaN or infinite.
    """
    x = x.float()
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    if not norm.numel():
        return x
    low, high = torch.aminmax(norm)
    if not bool((low > 1e-15) & (high < 1e18)):  # lengths whose squares leave float32, or not any
        _refuse(x)
        largest = x.abs().amax(-1, keepdim=True) if x.shape[-1] else norm
        x = x / largest.clamp_min(torch.finfo(torch.float32).tiny)
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        norm = norm.where(norm > 0, 1.0)
    return x / norm


def _refuse(x: Tensor) -> None:
    """Raise ValueError if a value is NaN or infinite."""
    finite = torch.isfinite(x).all(-1)
    if not finite.all():
        *frame, token = (~finite).nonzero()[0].tolist()
        where = f" of frame {frame[0]}" if frame else ""
        raise ValueError(f"token {token}{where} is NaN or infinite")


def snap(product: Tensor) -> Tensor:
    """Products of unit vectors as cosines, in place: within [-1, 1], duplicates exactly 1."""
    return product.clamp_(-1, 1).masked_fill_(product > DUPLICATE, 1.0)


def upper_products(units: Tensor) -> Tensor:
    """Products of the vectors [T, N, D] of every frame with each other, 0 in part where i > j.

    Three strips of rows, each from the diagonal on: a third of the work is left out.
    """
    frames, n = units.shape[:2]
    product = torch.zeros(frames, n, n, device=units.device)
    strip = -(-n // 3)
    for r in range(0, n, max(strip, 1)):
        product[:, r : r + strip, r:] = units[:, r : r + strip] @ units[:, r:].mT
    return product


def similarities(units: Tensor, others: Tensor | None = None) -> Tensor:
    """Cosines of unit vectors: [..., n, n], symmetric to the bit, or [..., n, m] with others."""
    if others is not None:
        return snap(units @ others.mT)
    frames = units.reshape(math.prod(units.shape[:-2]), *units.shape[-2:])
    upper = snap(upper_products(frames)).triu_()
    return (upper + upper.triu(1).mT).reshape(*units.shape[:-1], units.shape[-2])


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


def cut(tau: float) -> float:
    """The float32 that raw products of unit vectors must exceed to be edges at tau.

    The same edges as `similarities > tau`, without snapping: nothing is above 1, and what counts as
    1 is above every lower tau.
    """
    exact = floor32(tau)
    return math.inf if exact >= 1 else min(exact, DUPLICATE)


def components(similar: Tensor, tau: float) -> Tensor:
    """Exact components of {i-j : similar[i, j] > tau}, from the upper triangle of [n, n].

    Returns labels [n] int64, numbered 0.. by smallest member.
    """
    return frame_components(edges_above(similar[None], cut(tau)))[0]


def edges_above(products: Tensor, bound: float) -> Tensor:
    """Which products [..., n, n] with i < j exceed a bound (see `cut`): bool."""
    upper = torch.ones(products.shape[-2:], dtype=torch.bool, device=products.device).triu_(1)
    hits = above(products, bound)
    if not with_numpy(hits):
        return hits.logical_and_(upper)
    found = hits.numpy()
    found &= upper.numpy()
    return hits


def above(products: Tensor, bound: float) -> Tensor:
    """products > bound. On a CPU numpy is quicker at it, and keeps other threads out of it."""
    if not with_numpy(products):
        return products > bound
    return torch.from_numpy(np.greater(products.numpy(), np.float32(bound)))


def tally(hits: Tensor, dim: int) -> Tensor:
    """hits.sum(dim), int64, of a bool tensor; bytes are added as bytes."""
    if not with_numpy(hits):
        return hits.sum(dim)
    count = np.add.reduce(hits.numpy().view(np.uint8), dim, dtype=np.uint32)
    return torch.from_numpy(count.astype(np.int64))


def frame_components(edges: Tensor) -> Tensor:
    """[T, N] int64 labels of T graphs with edges [T, N, N], numbered 0.. by smallest member."""
    frames, n = edges.shape[:2]
    vertices = torch.arange(frames * n, device=edges.device)
    ids = vertices.view(frames, n)
    labels = unite(vertices, *joins(edges, ids, ids)).view(frames, n)
    return _numbered(labels - ids[:, :1])


def _numbered(smallest: Tensor) -> Tensor:
    """Labels [T, N] that name the smallest member -> numbered 0.. in that order."""
    first = smallest == torch.arange(smallest.shape[-1], device=smallest.device)
    return (first.cumsum(-1) - 1).gather(-1, smallest)


def degrees(similar: Tensor, tau: float) -> Tensor:
    """[..., n] int64: how many others are above tau, from the upper triangles of [..., n, n]."""
    return ends(edges_above(similar, cut(tau)))


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
