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

DENSE = 4  # hits a vertex above which hits are thinned before they are listed as edges
DUPLICATE = float(np.float32(1 - 2e-6))  # a cosine above it counts as 1: the rest is float32 noise


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


def cut(tau: float) -> float:
    """The float32 that raw products of unit vectors must exceed to be edges at tau.

    The same edges as `similarities > tau`, without snapping: nothing is above 1, and what counts as
    1 is above every lower tau.
    """
    exact = floor32(tau)
    return math.inf if exact >= 1 else min(exact, DUPLICATE)


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


def joins(hits: Tensor, rows: Tensor, columns: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Edges (u, v), each [E], that together with the labels so far join all that the hits join.

    hits: [B, a, b] bool, edges between the vertices rows [B, a] and columns [B, b]. labels: [n].
    Where hits are few they all come back; else every row's first, and those that join more.
    """
    if hits.device.type != "cpu":
        batch, i, j = hits.nonzero(as_tuple=True)
        return rows[batch, i], columns[batch, j]
    found, rows, columns = hits.numpy(), rows.numpy(), columns.numpy()
    few = DENSE * (rows.size + columns.size)
    if np.count_nonzero(found) > few:
        found = found & _apart(labels.numpy(), rows, columns)
        if np.count_nonzero(found) > few:
            return _thinned(found, rows, columns, labels)
    return _ends(found, rows, columns)


def _apart(labels: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return labels[rows][:, :, None] != labels[columns][:, None, :]


def _ends(found: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[Tensor, Tensor]:
    row, j = np.divmod(np.flatnonzero(found), max(found.shape[2], 1))
    batch = row // max(found.shape[1], 1)
    return torch.from_numpy(rows.reshape(-1)[row]), torch.from_numpy(columns[batch, j])


def _thinned(
    found: np.ndarray, rows: np.ndarray, columns: np.ndarray, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Every row's first hit, and the hits that join more than these do."""
    first = np.zeros_like(found)
    np.put_along_axis(first, found.argmax(2)[:, :, None], True, 2)
    u, v = _ends(first & found, rows, columns)
    more = _ends(found & _apart(unite(labels, u, v).numpy(), rows, columns), rows, columns)
    return torch.cat([u, more[0]]), torch.cat([v, more[1]])


def components(similar: Tensor, tau: float) -> Tensor:
    """Exact components of {i-j : similar[i, j] > tau}, from the upper triangle of [n, n].

    Returns labels [n] int64, numbered 0.. by smallest member.
    """
    return frame_components(edges_above(similar[None], tau))[0]


def edges_above(products: Tensor, tau: float) -> Tensor:
    """Edges i < j at tau: bool [..., n, n], from cosines or raw products of unit vectors."""
    return (products > cut(tau)).logical_and_(_upper(products.shape[-1], products.device))


def _upper(n: int, device: torch.device) -> Tensor:
    return torch.ones(n, n, dtype=torch.bool, device=device).triu_(1)


def frame_components(edges: Tensor) -> Tensor:
    """[T, N] int64 labels of T graphs with edges [T, N, N], numbered 0.. by smallest member."""
    frames, n = edges.shape[:2]
    vertices = torch.arange(frames * n, device=edges.device)
    ids = vertices.view(frames, n)
    labels = unite(vertices, *joins(edges, ids, ids, vertices)).view(frames, n)
    first = labels == ids
    return (first.cumsum(-1) - 1).gather(-1, labels - ids[:, :1])


def degrees(similar: Tensor, tau: float) -> Tensor:
    """[..., n] int64: how many others are above tau, from the upper triangles of [..., n, n]."""
    return ends(edges_above(similar, tau))


def ends(edges: Tensor) -> Tensor:
    """[..., n] int64: how many edges end in every vertex, from edges i < j [..., n, n] bool."""
    count = edges.view(torch.uint8)
    return count.sum(-1, dtype=torch.int64) + count.sum(-2, dtype=torch.int64)


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
