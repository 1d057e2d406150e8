"""The method as one would first write it down: networkx and loops, nothing shared with scc.py.

The baseline of `bench speed` and the oracle of the tests. Follows the formulas of section 3 of
arXiv 2506.21862 line by line, in any precision; knows nothing of tiles, forests or devices.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np

DUPLICATE = 1 - 2e-6


@dataclass(frozen=True, eq=False)
class Plain:
    """Names and shapes as in Compression. margin: the least distance that decided anything.

    An edge is decided by |similarity - tau|, a share by the lead of the largest cosine. Where the
    margin is below float32's noise another precision may decide otherwise.
    """

    tokens: np.ndarray
    spatial: np.ndarray
    group: np.ndarray
    share: np.ndarray
    hub: np.ndarray
    counts: tuple[int, int, int]
    margin: float


def cosines(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[n, m] cosines of the rows of x and y; above 1 - 2e-6 exactly 1; 0 for zero vectors."""

    def unit(v: np.ndarray) -> np.ndarray:
        length = np.linalg.norm(v, axis=1, keepdims=True)
        return np.divide(v, length, out=np.zeros_like(v), where=length > 0)

    product = np.clip(unit(x) @ unit(y).T, -1, 1)
    return np.where(product > DUPLICATE, 1, product)


def components(similar: np.ndarray, tau: float) -> list[tuple[int, list[int]]]:
    """[(hub, members)] of the graph {i-j : similar[i, j] > tau}, i < j, in hub order."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(similar)))
    graph.add_edges_from(np.argwhere(np.triu(similar > tau, 1)).tolist())
    found = []
    for members in nx.connected_components(graph):
        hub = min(members, key=lambda v: (-graph.degree[v], v))
        found.append((hub, sorted(members)))
    return sorted(found)


def compress(tokens: np.ndarray, tau: float, merge: bool = True) -> Plain:
    """Both steps and the merge on tokens [T, N, D], in their own precision."""
    frames, n = tokens.shape[:2]
    flat = tokens.reshape(frames * n, -1)
    spatial, hubs, first, margin = np.zeros(frames * n, int), [], [], np.inf
    for t, frame in enumerate(tokens):
        similar = cosines(frame, frame)
        margin = min(margin, _edge_margin(similar, tau))
        for hub, members in components(similar, tau):
            spatial[[t * n + i for i in members]] = len(first)
            hubs.append((t, hub))
            first.append(np.mean([frame[i] for i in members], axis=0))
    first = np.stack(first)
    similar = cosines(first, first)
    margin = min(margin, _edge_margin(similar, tau))
    group, hub, second = np.zeros(len(first), int), [], []
    for hub_index, members in components(similar, tau):
        group[members] = len(second)
        hub.append(hubs[hub_index])
        second.append(np.mean([first[i] for i in members], axis=0))
    kept, share = np.stack(second), group[spatial]
    if merge:
        kept, share, lead = _merged(flat, kept)
        margin = min(margin, lead)
    shape = (frames, n)
    return Plain(
        kept,
        spatial.reshape(shape),
        group[spatial].reshape(shape),
        share.reshape(shape),
        np.array(hub),
        (frames * n, len(first), len(second)),
        float(margin),
    )


def _merged(x: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    share = np.zeros(len(x), int)
    total, count = s.copy(), np.ones(len(s))
    lead = np.inf
    for i, token in enumerate(x):
        near = cosines(token[None], s)[0]
        j = int(np.argmax(near))
        share[i] = j
        total[j] += token
        count[j] += 1
        if len(s) > 1 and near[j] != 1 and token.any():  # 1, and 0 of zero vectors, are exact
            lead = min(lead, near[j] - np.partition(near, -2)[-2])
    return total / count[:, None], share, lead


def _edge_margin(similar: np.ndarray, tau: float) -> float:
    some = similar[np.ix_(*2 * [similar.diagonal() > 0])]
    edges = some[np.triu_indices(len(some), 1)]
    edges = edges[edges != 1]  # exact in any precision, as are the zeros of zero vectors
    return float(np.abs(edges - tau).min(initial=np.inf))
