"""The weakest link: of least cosine, in the largest group, and its parts are what is left of it."""

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scissor.draw.overlay import view
from scissor.draw.weakest import WeakLink, weakest_in, weakest_link
from scissor.scc import compress, prepare

from .conftest import scene_tokens


@st.composite
def forests(draw):
    """A forest of up to 12 nodes with weights and sizes; an edge hangs a node on an earlier one."""
    count = draw(st.integers(1, 12))
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    for node in range(1, count):
        parent = draw(st.none() | st.integers(0, node - 1))
        if parent is not None:
            graph.add_edge(parent, node, weight=draw(st.sampled_from([0.1, 0.4, 0.7])))
    size = {node: draw(st.integers(1, 5)) for node in graph}
    return graph, size


@given(forests())
def test_cutting_the_link_leaves_its_parts(case):
    graph, size = case

    def patches(nodes):
        return sum(size[n] for n in nodes)

    most = max(map(patches, nx.connected_components(graph)))
    link = weakest_link(graph, size)
    if link is None:
        largest = [g for g in nx.connected_components(graph) if patches(g) == most]
        assert min(map(len, largest)) == 1
        return
    assert sum(link.parts) == most
    around = nx.node_connected_component(graph, link.a)
    weights = [w for _, _, w in graph.subgraph(around).edges(data="weight")]
    assert link.weight == min(weights)
    rest = graph.copy()
    rest.remove_edge(link.a, link.b)
    found = [patches(nx.node_connected_component(rest, n)) for n in (link.a, link.b)]
    assert sorted(found, reverse=True) == list(link.parts)
    assert link.parts[0] >= link.parts[1]


def test_an_empty_graph_has_none():
    assert weakest_link(nx.Graph(), {}) is None


@pytest.mark.parametrize("frame", [0, 2])
def test_a_frames_largest_component_falls_apart_as_told(frame):
    prepared = prepare(scene_tokens())
    made = compress(prepared, tau=0.9)
    link = weakest_in(prepared, made, view(prepared, made, "components"), frame)
    assert link.a // 36 == link.b // 36 == frame
    similar = prepared.similar[frame, link.a % 36, link.b % 36]
    assert link.weight == pytest.approx(float(similar), abs=1e-6)
    higher = compress(prepared, tau=link.weight).spatial[frame].unique(return_counts=True)[1]
    assert set(link.parts) <= set(higher.tolist())


def test_across_frames_it_joins_two_hubs_of_the_largest_group():
    prepared = prepare(scene_tokens())
    made = compress(prepared, tau=0.97)
    shown = view(prepared, made, "groups")
    link = weakest_in(prepared, made, shown)
    group = made.group.flatten()
    assert group[link.a] == group[link.b]
    assert sum(link.parts) == int(torch.bincount(group).max())
    assert link.weight > 0.97
    assert weakest_in(prepared, made, view(prepared, made, "shares")) is None


def test_the_sentence_says_where_and_what():
    link = WeakLink(196 * 2 + 5, 196 * 6, 0.93114, (1160, 44))
    assert link.sentence(196) == (
        "One link of cosine 0.931, from frame 3 to 7, holds the largest group’s 1,204 patches "
        "together: without it they fall into 1,160 and 44."
    )
    assert ", in frame 1, " in WeakLink(3, 4, 0.5, (2, 1)).sentence(196)
