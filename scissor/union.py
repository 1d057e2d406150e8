"""Joining vertices by edges: components as labels that name their smallest member.

Knows how to unite labels along edges on any device, and how to pick from a block of hits the few
edges that matter. Leaves where hits come from to graph.py and tiles.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor
from torch.nn.functional import embedding_bag

DENSE = 4  # hits a vertex above which hits are thinned before they are listed as edges


def with_numpy(x: Tensor) -> bool:
    """Whether numpy and scipy can read x where it lies: they beat torch at bits and components."""
    return x.device.type == "cpu"


def unite(labels: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """Labels after the vertices i[e] and j[e] have been joined, for every edge e.

    labels: [n] int64, for each vertex the smallest member of its component, before and after.
    """
    if i.numel() == 0:
        return labels
    if not with_numpy(labels):
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
        flat = (root == root.gather(0, root)).all()
        flat, done = torch.stack([flat, flat & (a == b).all()]).tolist()  # asks the device once
        if done:
            return root
        if flat:
            root = root.scatter_reduce(0, torch.maximum(a, b), torch.minimum(a, b), "amin")
        for _ in range(4):  # halve the paths: most are flat then
            root = root.gather(0, root)


def spread(labels: Tensor, hits: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """`unite` along all hits at once, in whole-tensor steps: no edge is ever listed.

    hits: [B, a, b] bool, edges between the vertices rows [B, a] and columns [B, b]. In a turn every
    root takes the least label that the hits of its vertices lead to, and paths are halved twice.
    The device is asked once before every three turns.
    """
    n, ends = len(labels), torch.cat([rows.flatten(), columns.flatten()])
    while True:
        apart = hits & (labels[rows][:, :, None] != labels[columns][:, None, :])
        if not bool(apart.any() | (labels != labels.gather(0, labels)).any()):
            return labels
        for _ in range(3):
            left, right = labels[rows].int()[:, :, None], labels[columns].int()[:, None, :]
            to_right, to_left = (torch.where(hits, side, n) for side in (right, left))
            least = torch.cat([to_right.amin(2).flatten(), to_left.amin(1).flatten()]).long()
            root = labels[ends]
            least = torch.where(labels[root] == root, least, n)  # others would leave their parent
            labels = labels.scatter_reduce(0, root, least, "amin")
            for _ in range(2):
                labels = labels.gather(0, labels)


def joined(parts: Sequence[Tensor]) -> Tensor:
    """torch.cat that leaves a single part as it is."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def sizes(part: Tensor, count: int) -> Tensor:
    """[count] int64: how often each of 0..count-1 occurs in part [n], without asking the device."""
    zero = torch.zeros(count, dtype=torch.int64, device=part.device)
    return zero.scatter_add_(0, part, torch.ones_like(part))


def totals(x: Tensor, part: Tensor, count: int) -> Tensor:
    """[count, D]: the sums of the vectors [n, D] of each part, parts [n] in 0..count-1."""
    if not with_numpy(x):
        return torch.zeros(count, x.shape[1], device=x.device).index_add_(0, part, x)
    size = sizes(part, count)
    return embedding_bag(part.argsort(stable=True), x, size.cumsum(0) - size, mode="sum")


def few(hits: Tensor) -> tuple[Tensor, Tensor, Tensor] | None:
    """(batch, row, column), each [E], of hits [B, a, b]; None where they are too many to list."""
    if not with_numpy(hits) or np.count_nonzero(hits.numpy()) > DENSE * len(hits) * sum(
        hits.shape[1:]
    ):
        return None
    row, column = _listed(hits.numpy())
    batch, row = np.divmod(row, max(hits.shape[1], 1))
    return tuple(torch.from_numpy(at) for at in (batch, row, column))


def joins(
    hits: Tensor, rows: Tensor, columns: Tensor, labels: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Edges (u, v), each [E], that together with the labels so far join all that the hits join.

    hits: [B, a, b] bool, edges between the vertices rows [B, a] and columns [B, b]. labels: [n];
    None where nothing is joined yet. Where hits are few they all come back; else every row's first,
    and those that join more.
    """
    if not with_numpy(hits):
        if labels is not None:
            hits = hits & (labels[rows][:, :, None] != labels[columns][:, None, :])
        batch, i, j = hits.nonzero(as_tuple=True)
        return rows[batch, i], columns[batch, j]
    found, rows, columns = hits.numpy(), rows.numpy(), columns.numpy()
    most = DENSE * (rows.size + columns.size)
    if np.count_nonzero(found) > most:
        left, right = rows, columns
        if labels is not None:
            left, right = labels.numpy()[rows], labels.numpy()[columns]
            found = found & _apart(left, right)
        thin = labels is None or np.count_nonzero(found) > most
        row, j = _thinned(found, left, right) if thin else _listed(found)
    else:
        row, j = _listed(found)
    u, v = rows.reshape(-1)[row], columns[row // max(found.shape[1], 1), j]
    return torch.from_numpy(u), torch.from_numpy(v)


def _apart(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """[B, a, b] bool: where the labels of rows [B, a] and columns [B, b] differ."""
    return left.astype(np.int32)[:, :, None] != right.astype(np.int32)[:, None, :]


def _listed(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(row, column), each [E], of hits [B, a, b]; rows are numbered over the whole batch."""
    return np.divmod(np.flatnonzero(found), max(found.shape[2], 1))


def _thinned(
    found: np.ndarray, left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`_listed`, but of every row its first hit, and those that join more than these do.

    left: [B, a], right: [B, b], the labels of rows and columns.
    """
    at = found.argmax(2)
    row = np.flatnonzero(np.take_along_axis(found, at[:, :, None], 2))
    first = at.reshape(-1)[row]
    i, j = left, right
    if max(i.max(), j.max()) >= i.size + j.size:  # of a larger graph: number those here anew
        ids = np.unique(np.concatenate([i, j], 1), return_inverse=True)[1]
        i, j = ids[:, : left.shape[1]], ids[:, left.shape[1] :]
    u, v = i.reshape(-1)[row], j[row // found.shape[1], first]
    labels = torch.arange(i.size + j.size)
    labels = unite(labels, torch.from_numpy(u), torch.from_numpy(v)).numpy()
    i, j = labels[i], labels[j]
    if (i == i[:, :1]).all() and (j == i[:, :1]).all():  # they join all there is
        return row, first
    more = _listed(found & _apart(i, j))
    return tuple(np.concatenate(both) for both in zip((row, first), more, strict=True))
