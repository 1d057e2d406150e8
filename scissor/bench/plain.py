"""The method as one would first write it down: networkx and loops, nothing shared with scc.py.

The baseline of `bench speed` and the oracle of the tests. Follows the formulas of section 3 of
arXiv 2506.21862 line by line, in any precision; knows nothing of tiles, forests or devices. Beside
it the same with scipy's components and no loops: what a practised hand would write next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

DUPLICATE = 1 - 2e-6


@dataclass(frozen=True, eq=False)
class Plain:
    """Names and shapes as in Compression. kept: the tokens of step 2, before the merge."""

    tokens: np.ndarray
    spatial: np.ndarray
    group: np.ndarray
    share: np.ndarray
    hub: np.ndarray
    counts: tuple[int, int, int]
    first: np.ndarray
    kept: np.ndarray


def compress(tokens: np.ndarray, tau: float, merge: bool = True) -> Plain:
    """Both steps and the merge on tokens [T, N, D], in their own precision."""
    return _compress(tokens, tau, merge, components, means)


def compress_scipy(tokens: np.ndarray, tau: float, merge: bool = True) -> Plain:
    """`compress` with scipy's components and sparse products for the means."""
    return _compress(tokens, tau, merge, components_scipy, means_scipy)


def cosines(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[n, m] cosines of the rows of x and y; above 1 - 2e-6 exactly 1; 0 for zero vectors."""

    def unit(v: np.ndarray) -> np.ndarray:
        length = np.linalg.norm(v, axis=1, keepdims=True)
        return np.divide(v, length, out=np.zeros_like(v), where=length > 0)

    product = np.clip(unit(x) @ unit(y).T, -1, 1)
    product[product > DUPLICATE] = 1
    return product


def components(similar: np.ndarray, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """(component of every vertex, hubs) of {i-j : similar[i, j] > tau, i < j}, in hub order."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(similar)))
    graph.add_edges_from(np.argwhere(np.triu(similar > tau, 1)).tolist())
    found = []
    for members in nx.connected_components(graph):
        hub = min(members, key=lambda v: (-graph.degree[v], v))
        found.append((hub, sorted(members)))
    component = np.zeros(len(similar), int)
    for c, (_, members) in enumerate(sorted(found)):
        component[members] = c
    return component, np.array(sorted(hub for hub, _ in found))


def components_scipy(similar: np.ndarray, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """`components` by scipy."""
    edges = np.triu(similar > tau, 1)
    count, label = connected_components(csr_array(edges), directed=False)
    degree = edges.sum(0) + edges.sum(1)
    order = np.lexsort((np.arange(len(label)), -degree, label))
    hub = order[np.searchsorted(label[order], np.arange(count))]
    rank = np.empty(count, int)
    rank[np.argsort(hub)] = np.arange(count)
    return rank[label], np.sort(hub)


def means(x: np.ndarray, part: np.ndarray, count: int, start: np.ndarray | None) -> np.ndarray:
    """[count, D]: the mean of the rows of each part, and of its row of `start` if there is one."""
    out = []
    for k in range(count):
        rows = x[part == k]
        out.append(np.mean(rows if start is None else [start[k], *rows], axis=0))
    return np.array(out)


def means_scipy(
    x: np.ndarray, part: np.ndarray, count: int, start: np.ndarray | None
) -> np.ndarray:
    """`means` as one sparse product."""
    one = np.ones(len(x), x.dtype)
    total = csr_array((one, (part, np.arange(len(x)))), shape=(count, len(x))) @ x
    size = np.bincount(part, minlength=count)[:, None]
    if start is not None:
        total, size = total + start, size + 1
    return total / size.astype(x.dtype)


def _compress(
    tokens: np.ndarray, tau: float, merge: bool, components: Callable, means: Callable
) -> Plain:
    frames, n = tokens.shape[:2]
    spatial, hubs, first = [], [], []
    for t, frame in enumerate(tokens):
        component, hub = components(cosines(frame, frame), tau)
        spatial.append(component + len(hubs))
        hubs.extend((t, h) for h in hub)
        first.append(means(frame, component, len(hub), None))
    spatial, first = np.stack(spatial), np.concatenate(first)
    component, hub = components(cosines(first, first), tau)
    kept = means(first, component, len(hub), None)
    group = component[spatial]
    tokens_out, share = kept, group
    if merge:
        x = tokens.reshape(frames * n, -1)
        near = cosines(x, kept).argmax(1)
        tokens_out, share = means(x, near, len(hub), kept), near.reshape(frames, n)
    counts = (frames * n, len(first), len(kept))
    return Plain(tokens_out, spatial, group, share, np.array(hubs)[hub], counts, first, kept)


def margin(tokens: np.ndarray, tau: float, plain: Plain) -> float:
    """The least distance that decided anything in `compress`.

    An edge is decided by |similarity - tau|, a share by the lead of the largest cosine over the
    next. Below float32's noise another precision, or order of summing, may decide otherwise.
    """
    x = tokens.reshape(-1, tokens.shape[-1])
    sets: Sequence[np.ndarray] = [*tokens, plain.first]
    least = min(_edge_margin(cosines(v, v), tau) for v in sets)
    if len(plain.kept) > 1:
        near = np.partition(cosines(x, plain.kept), -2)[:, -2:]
        open_ = (near[:, 1] != 1) & x.any(1)  # 1, and 0 of zero vectors, are exact
        least = min(least, (near[open_, 1] - near[open_, 0]).min(initial=np.inf))
    return float(least)


def _edge_margin(similar: np.ndarray, tau: float) -> float:
    some = similar[np.ix_(*2 * [similar.diagonal() > 0])]
    edges = some[np.triu_indices(len(some), 1)]
    edges = edges[edges != 1]  # exact in any precision, as are the zeros of zero vectors
    return float(np.abs(edges - tau).min(initial=np.inf))
