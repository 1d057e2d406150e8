"""The weakest link of the largest group: the one that a rising threshold cuts first.

Knows spanning forests, where every edge is a bridge. Leaves the graph to graph.py and marking the
link to network.py and the page's canvas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx
import torch

from scissor.draw.graph import similarity_graph
from scissor.draw.overlay import View, component_hubs
from scissor.scc import Prepared
from scissor.types import Compression


@dataclass(frozen=True)
class WeakLink:
    """a, b: flat token indices t*N + n of its ends. weight: their cosine. parts: the patches on
    either side, which nothing else joins, the larger part first.
    """

    a: int
    b: int
    weight: float
    parts: tuple[int, int]

    def sentence(self, width: int) -> str:
        """What the link does, for people; width: tokens a frame."""
        ends = sorted((self.a // width + 1, self.b // width + 1))
        where = (
            f"in frame {ends[0]}" if ends[0] == ends[1] else f"from frame {ends[0]} to {ends[1]}"
        )
        more, less = self.parts
        return (
            f"One link of cosine {self.weight:.3f}, {where}, holds the largest group’s "
            f"{more + less:,} patches together: without it they fall into {more:,} and {less:,}."
        )


def weakest_link(forest: nx.Graph, size: Mapping[int, int]) -> WeakLink | None:
    """The edge of least weight in the component with the most patches; None if it has no edge.

    forest: a graph without cycles whose edges carry `weight`. size: patches of every node. Of equal
    weights the edge that leaves the more even parts.
    """
    groups = list(nx.connected_components(forest))
    if not groups:
        return None
    largest = max(groups, key=lambda group: (sum(size[n] for n in group), -min(group)))
    tree = forest.subgraph(largest)
    if not tree.number_of_edges():
        return None
    below = _patches_below(tree, size)
    total = sum(size[n] for n in largest)

    def rank(edge: tuple[int, int]) -> tuple[float, int]:
        return tree.edges[edge]["weight"], abs(total - 2 * below[edge])

    parent, child = min(below, key=rank)
    less, more = sorted((below[parent, child], total - below[parent, child]))
    return WeakLink(parent, child, float(tree.edges[parent, child]["weight"]), (more, less))


def _patches_below(tree: nx.Graph, size: Mapping[int, int]) -> dict[tuple[int, int], int]:
    """{(parent, child): patches on the child's side} of every edge of a tree."""
    edges = list(nx.bfs_edges(tree, min(tree)))
    weight = {node: size[node] for node in tree}
    below = {}
    for parent, child in reversed(edges):
        below[parent, child] = weight[child]
        weight[parent] += weight[child]
    return below


def weakest_in(
    prepared: Prepared,
    compression: Compression,
    view: View,
    frame: int = 0,
    forest: nx.Graph | None = None,
) -> WeakLink | None:
    """The weakest link of a view's largest group: in one frame for components, across frames for
    groups, where it joins two step-1 components; None for shares, which no links make.
    forest: the view's, where it is made already.
    """
    if view.name == "shares":
        return None
    if forest is None:
        forest = similarity_graph(prepared, compression, view, frame).graph
    size = dict.fromkeys(forest, 1)
    if view.name == "groups":
        hubs = component_hubs(prepared, compression)
        flat = hubs[:, 0] * view.ids.shape[1] + hubs[:, 1]
        alive = compression.spatial[compression.spatial >= 0]
        size = dict(zip(flat.tolist(), torch.bincount(alive).tolist(), strict=True))
    return weakest_link(forest, size)
