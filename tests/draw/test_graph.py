"""The drawn graph's components are the compression's, and the figure shows them."""

import networkx as nx
import numpy as np
import pytest
import torch

from scissor.draw import graph as drawn
from scissor.draw.graph import force_places, grid_places, similarity_graph
from scissor.draw.network import network_figure
from scissor.draw.overlay import view
from scissor.graph import cosines


def partition(graph) -> set[frozenset]:
    return {frozenset(group) for group in nx.connected_components(graph)}


@pytest.mark.parametrize("every", [False, True], ids=["forest", "all edges"])
def test_a_frames_graph_has_the_components_of_step_1(prepared, made, every):
    shown = view(prepared, made, "components")
    for frame in range(len(shown.ids)):
        found = similarity_graph(prepared, made, shown, frame, every)
        width = shown.ids.shape[1]
        expected = {}
        for n, component in enumerate(made.spatial[frame].tolist()):
            expected.setdefault(component, set()).add(frame * width + n)
        assert partition(found.graph) == {frozenset(group) for group in expected.values()}
        if not every:
            assert found.graph.number_of_edges() == width - len(expected)


@pytest.mark.parametrize("every", [False, True], ids=["forest", "all edges"])
def test_the_graph_of_hubs_has_the_groups_of_step_2(prepared, made, every):
    found = similarity_graph(prepared, made, view(prepared, made, "groups"), 0, every)
    assert found.graph.number_of_nodes() == made.counts[1]
    assert nx.number_connected_components(found.graph) == made.kept
    group = made.group.flatten()
    for nodes in nx.connected_components(found.graph):
        assert len({int(group[node]) for node in nodes}) == 1


def test_edges_carry_the_cosine(prepared, made):
    found = similarity_graph(prepared, made, view(prepared, made, "components"), 1, True)
    flat = prepared.tokens.flatten(0, 1)
    for i, j, weight in found.graph.edges(data="weight"):
        assert weight == pytest.approx(float(cosines(flat[[i]], flat[[j]])), abs=1e-5)
        assert weight > made.tau_spatial


def test_shares_are_stars_around_hubs(prepared, made):
    shown = view(prepared, made, "shares")
    found = similarity_graph(prepared, made, shown)
    width = shown.ids.shape[1]
    hubs = set((shown.hub[:, 0] * width + shown.hub[:, 1]).tolist())
    assert found.graph.number_of_nodes() == shown.ids.numel()
    assert all(i in hubs or j in hubs for i, j in found.graph.edges)


def test_only_the_strongest_edges_are_drawn_and_the_rest_is_told(prepared, made, monkeypatch):
    shown = view(prepared, made, "components")
    everything = similarity_graph(prepared, made, shown, 0, True)
    monkeypatch.setattr(drawn, "MOST_EDGES", 5)
    few = similarity_graph(prepared, made, shown, 0, True)
    total = everything.graph.number_of_edges()
    assert few.graph.number_of_edges() == min(5, total)
    assert few.hidden == max(0, total - 5)
    weights = sorted((w for *_, w in everything.graph.edges(data="weight")), reverse=True)
    assert sorted((w for *_, w in few.graph.edges(data="weight")), reverse=True) == weights[:5]
    assert ("weaker edges hidden" in few.summary()) == (few.hidden > 0)


def test_the_line_above_the_graph_counts_right():
    graph = nx.Graph([(0, 1), (1, 2), (5, 6)])
    graph.add_node(9)
    assert drawn.SimilarityGraph(graph, None, 0).summary() == (
        "6 nodes · 3 edges · 3 components · largest 3"
    )
    alone = nx.Graph()
    alone.add_node(0)
    assert drawn.SimilarityGraph(alone, 0, 0).summary() == (
        "1 node · 0 edges · 1 component · largest 1"
    )


@pytest.mark.parametrize("name", ["components", "groups", "shares"])
def test_every_node_has_a_place_of_its_own(prepared, made, name):
    found = similarity_graph(prepared, made, view(prepared, made, name))
    for places in (
        grid_places(found, len(made.group), made.grid),
        force_places(found),
    ):
        assert set(places) == set(found.graph)
        xy = np.array(list(places.values()))
        assert np.isfinite(xy).all()
        assert len(np.unique(xy.round(4), axis=0)) == len(xy)


def test_force_layout_keeps_components_apart(prepared, made):
    found = similarity_graph(prepared, made, view(prepared, made, "components"))
    places = force_places(found)
    boxes = []
    for group in nx.connected_components(found.graph):
        xy = np.array([places[node] for node in group])
        boxes.append((*xy.min(0), *xy.max(0)))
    for k, a in enumerate(boxes):
        for b in boxes[:k]:
            assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


@pytest.mark.parametrize("layout", ["grid", "force"])
@pytest.mark.parametrize("name", ["components", "groups", "shares"])
def test_the_figure_draws_every_node_and_edge(prepared, made, name, layout):
    shown = view(prepared, made, name)
    found = similarity_graph(prepared, made, shown)
    figure = network_figure(found, shown, made.grid, layout=layout, pictures=["data:,"] * 4)
    *lines, dots = figure.data
    assert len(dots.x) == found.graph.number_of_nodes()
    assert sum(len(line.x) // 3 for line in lines) == found.graph.number_of_edges()
    pictures = {"grid": 1 if name == "components" else 4, "force": 0}[layout]
    assert len(figure.layout.images) == pictures


def test_isolating_a_group_fades_the_others(prepared):
    from scissor.scc import compress

    shown = view(prepared, compress(prepared, tau=0.9), "groups")
    found = similarity_graph(prepared, compress(prepared, tau=0.9), shown)
    dots = network_figure(found, shown, prepared.grid, only=0).data[-1]
    bright = np.array(dots.marker.opacity) == 1
    ids = shown.ids.flatten()[torch.tensor(list(found.graph))]
    assert (bright == (ids == 0).numpy()).all()
    assert 0 < bright.sum() < len(bright)
