"""The similarity graph behind a view: which tokens are nodes, which edges make their groups.

Knows the graph (networkx) and where its nodes stand. Leaves the groups and their colours to
overlay.py and palette.py, and the figure to network.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import networkx as nx
import numpy as np
import torch
from torch import Tensor

from scissor.draw.overlay import View, component_hubs
from scissor.graph import cosines
from scissor.scc import Prepared, temporal_edges
from scissor.types import Compression

MOST_EDGES = 2_000
Edges = tuple[Tensor, Tensor, Tensor]  # two [E] int64 of flat token indices t*N + n, weights [E]
Places = dict[int, tuple[float, float]]  # node -> x, y; y grows downwards, a cell is 1 wide


@dataclass(frozen=True, eq=False)
class SimilarityGraph:
    """Nodes are flat token indices t*N + n; edges carry `weight`, the cosine.

    frame: the only frame shown, None for all. hidden: edges above the threshold left out because
    only the strongest 2,000 are kept.
    """

    graph: nx.Graph
    frame: int | None
    hidden: int

    def summary(self) -> str:
        """Nodes, edges, components and the largest of them, as one line."""
        groups = [len(group) for group in nx.connected_components(self.graph)]
        nodes, edges = self.graph.number_of_nodes(), self.graph.number_of_edges()
        line = (
            f"{_count(nodes, 'node')} · {_count(edges, 'edge')} · "
            f"{_count(len(groups), 'component')} · largest {max(groups, default=0):,}"
        )
        return f"{line} · {self.hidden:,} weaker edges hidden" if self.hidden else line


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def similarity_graph(
    prepared: Prepared, compression: Compression, view: View, frame: int = 0, every: bool = False
) -> SimilarityGraph:
    """The graph that makes a view's groups.

    components: the tokens of one frame, joined by the spanning forest's edges above the threshold.
    groups: step-1 components at their hubs, joined by step 2's forest. shares: all tokens, each
    joined to the hub of the kept token it was averaged into. every: not the forest but all edges
    above the threshold, the strongest 2,000 of them (shares have no others).
    """
    frames, width = view.ids.shape
    if view.name == "components":
        nodes = frame * width + torch.arange(width)
        edges = _frame_edges(prepared, compression, frame, every)
    elif view.name == "groups":
        hubs = component_hubs(prepared, compression)
        nodes = hubs[:, 0] * width + hubs[:, 1]
        edges = _hub_edges(prepared, compression, nodes, every)
    else:
        nodes = (view.ids.flatten() >= 0).nonzero().flatten()
        edges = _star_edges(view, nodes)
    hidden = max(0, len(edges[2]) - MOST_EDGES) if every and view.name != "shares" else 0
    if hidden:
        best = torch.topk(edges[2], MOST_EDGES).indices
        edges = edges[0][best], edges[1][best], edges[2][best]
    graph = nx.Graph()
    graph.add_nodes_from(nodes.tolist())
    graph.add_weighted_edges_from(zip(*(column.tolist() for column in edges), strict=True))
    return SimilarityGraph(graph, frame if view.name == "components" else None, hidden)


def _frame_edges(prepared: Prepared, compression: Compression, frame: int, every: bool) -> Edges:
    width = prepared.similar.shape[-1]
    if compression.tau_spatial is None:
        return _none()
    if every:
        similar = prepared.similar[frame]
        i, j = (similar > compression.tau_spatial).triu_(1).nonzero(as_tuple=True)
        return frame * width + i, frame * width + j, similar[i, j]
    at, i, j, weight = prepared.forest.edges(compression.tau_spatial)
    here = at == frame
    return frame * width + i[here], frame * width + j[here], weight[here]


def _hub_edges(prepared: Prepared, compression: Compression, hubs: Tensor, every: bool) -> Edges:
    width = prepared.similar.shape[-1]
    if compression.tau_temporal is None:
        return _none()
    if every:
        similar = cosines(component_means(prepared, compression))
        i, j = (similar > compression.tau_temporal).triu_(1).nonzero(as_tuple=True)
        return hubs[i], hubs[j], similar[i, j]
    a, b, weight = temporal_edges(prepared, compression)
    return a[:, 0] * width + a[:, 1], b[:, 0] * width + b[:, 1], weight


def component_means(prepared: Prepared, compression: Compression) -> Tensor:
    """[M, D] float32: the mean token of every step-1 component, in their order."""
    tokens = prepared.tokens.flatten(0, 1)
    ids = compression.spatial.flatten()
    alive = ids >= 0
    total = torch.zeros(compression.counts[1], tokens.shape[1])
    total.index_add_(0, ids[alive], tokens[alive])
    return total / torch.bincount(ids[alive], minlength=len(total))[:, None]


def _star_edges(view: View, nodes: Tensor) -> Edges:
    width = view.ids.shape[1]
    hub = view.hub[view.ids.flatten()[nodes]]
    centre = hub[:, 0] * width + hub[:, 1]
    apart = centre != nodes
    return nodes[apart], centre[apart], view.likeness.flatten()[nodes[apart]]


def _none() -> Edges:
    index = torch.empty(0, dtype=torch.int64)
    return index, index, torch.empty(0)


def grid_places(shown: SimilarityGraph, frames: int, grid: tuple[int, int]) -> Places:
    """Every node at its cell; several frames stand as tiles, with a gap of one cell."""
    rows, cols = grid
    across = 1 if shown.frame is not None else math.ceil(math.sqrt(frames))
    places = {}
    for node in shown.graph:
        frame, token = divmod(node, rows * cols)
        tile = 0 if shown.frame is not None else frame
        x = tile % across * (cols + 1) + token % cols + 0.5
        y = tile // across * (rows + 1) + token // cols + 0.5
        places[node] = x, y
    return places


def force_places(shown: SimilarityGraph, wide: float = 1.8) -> Places:
    """Every component laid out by forces, then packed in rows, the largest first.

    wide: width of the whole over its height, about.
    """
    groups = sorted(nx.connected_components(shown.graph), key=lambda g: (-len(g), min(g)))
    boxes = [_spring(shown.graph.subgraph(group)) for group in groups]
    corners = _packed([box.max(0) + 1.2 for _, box in boxes], wide)
    return {
        node: (corner[0] + float(place[0]), corner[1] + float(place[1]))
        for (nodes, box), corner in zip(boxes, corners, strict=True)
        for node, place in zip(nodes, box, strict=True)
    }


def _packed(sides: list[np.ndarray], wide: float) -> list[tuple[float, float]]:
    """Corners of boxes [width, height]: in rows beside the first box, then below it."""
    if not sides:
        return []
    area = 1.15 * sum(float(side.prod()) for side in sides)
    limit = max([math.sqrt(area * wide), *(float(side[0]) for side in sides)])
    first_wide, first_tall = map(float, sides[0])
    corners, x, y, tall = [(0.0, 0.0)], first_wide, 0.0, 0.0
    for side in sides[1:]:
        if x + side[0] > limit:
            y, tall = y + tall, 0.0
            beside = y + side[1] <= first_tall and first_wide + side[0] <= limit
            x = first_wide if beside else 0.0
            y = y if beside else max(y, first_tall)
        corners.append((x, y))
        x, tall = x + float(side[0]), max(tall, float(side[1]))
    return corners


def _spring(group: nx.Graph) -> tuple[list[int], np.ndarray]:
    """(nodes, their places [n, 2] from 0): springs along edges, repulsion between all, cooling.

    Starts from a fan around the node of most edges, so equal graphs give equal pictures.
    """
    nodes, place = _fan(group)
    at = {node: k for k, node in enumerate(nodes)}
    pull = np.array([(at[a], at[b]) for a, b in group.edges], np.int64).reshape(-1, 2)
    rounds = int(np.clip(8e6 / len(nodes) ** 2, 8, 30)) if len(nodes) > 2 else 0
    for step in range(rounds):
        force = _repulsion(place)
        along = place[pull[:, 0]] - place[pull[:, 1]]
        along *= np.linalg.norm(along, axis=1, keepdims=True)
        np.add.at(force, pull[:, 0], -along)
        np.add.at(force, pull[:, 1], along)
        length = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-6)
        place += force / length * np.minimum(length, 1.5 * (1 - step / rounds) + 0.05)
    return nodes, place - place.min(0)


def _fan(group: nx.Graph) -> tuple[list[int], np.ndarray]:
    """(nodes in breadth-first order, places [n, 2]): the root in the middle, one ring a step.

    Every node has a sector of its ring as wide as the part of the graph that hangs on it.
    """
    root = max(group, key=lambda node: (group.degree(node), -node))
    edges = list(nx.bfs_edges(group, root, sort_neighbors=sorted))
    weight = dict.fromkeys(group, 1)
    for parent, child in reversed(edges):
        weight[parent] += weight[child]
    start, depth = {root: 0.0}, {root: 0}  # where a node's sector begins, in turns
    free = {root: 0.0}
    for parent, child in edges:
        start[child] = free[child] = free[parent]
        free[parent] += weight[child] / len(group)
        depth[child] = depth[parent] + 1
    nodes = [root, *(child for _, child in edges)]
    turn = np.array([start[n] + weight[n] / len(group) / 2 for n in nodes]) * 2 * np.pi
    ring = np.array([depth[n] for n in nodes])
    return nodes, np.stack([ring * np.cos(turn), ring * np.sin(turn)], 1).astype(np.float32)


def _repulsion(place: np.ndarray) -> np.ndarray:
    """[n, 2]: every node pushed from every other by 1 / distance."""
    square = (place**2).sum(1)
    near = place @ place.T
    near *= -2
    near += square[:, None]
    near += square
    np.maximum(near, 0.01, out=near)
    push = np.reciprocal(near, out=near)
    return place * push.sum(1, keepdims=True) - push @ place
