import itertools

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from scissor import graph
from scissor.cosine import cut, similarities, unit
from scissor.graph import (
    components,
    degrees,
    edges_above,
    frame_components,
    hub_order,
    spanning_forest,
)
from scissor.union import unite

pytestmark = pytest.mark.usefixtures("one_thread")


def matrices(n_max: int = 14) -> st.SearchStrategy[Tensor]:
    """Symmetric float32 similarity matrices, many values equal."""
    values = st.one_of(
        st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]), st.floats(-1, 1, width=32)
    )
    square = st.integers(1, n_max).flatmap(
        lambda n: hnp.arrays(np.float32, (n, n), elements=values)
    )
    return square.map(lambda a: torch.from_numpy(np.triu(a) + np.triu(a, 1).T))


def taus_of(similar: Tensor) -> list[float]:
    """Thresholds that matter: every similarity itself, just beside it, the ends, odd doubles."""
    values = similar.flatten().tolist()
    beside = [float(np.nextafter(np.float32(v), np.float32(d))) for v in values for d in (-2, 2)]
    odd = [v + 1e-12 for v in values]
    return sorted({t for t in (*values, *beside, *odd, -1.0, 0.1, 1.0) if -1 <= t <= 1})


def by_networkx(similar: Tensor, tau: float) -> list[int]:
    graph = nx.Graph()
    graph.add_nodes_from(range(len(similar)))
    for i in range(len(similar)):
        for j in range(i + 1, len(similar)):
            if similar[i, j].item() > tau:
                graph.add_edge(i, j)
    labels = [0] * len(similar)
    for k, members in enumerate(sorted(nx.connected_components(graph), key=min)):
        for v in members:
            labels[v] = k
    return labels


def shaped(kind: str, n: int, seed: int) -> Tensor:
    """Adversarial graphs at threshold 0.5, over shuffled vertices."""
    pairs = {
        "chain": [(i, i + 1) for i in range(n - 1)],
        "star": [(0, i) for i in range(1, n)],
        "giant": [(i, j) for i in range(n - 3) for j in range(i)],
        "ladder": [(i, i + 2) for i in range(n - 2)],
        "tree": [((i - 1) // 2, i) for i in range(1, n)],
        "alone": [],
    }[kind]
    similar = torch.full((n, n), 0.25)
    place = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    for i, j in pairs:
        similar[place[i], place[j]] = similar[place[j], place[i]] = 0.75
    return similar.fill_diagonal_(1.0)


KINDS = ["chain", "star", "giant", "ladder", "tree", "alone"]


@st.composite
def mixtures(draw) -> Tensor:
    """Several such graphs of various sizes in one, each of its own weight, ties among them."""
    parts = draw(
        st.lists(
            st.tuples(
                st.sampled_from(KINDS), st.integers(4, 24), st.sampled_from([0.3, 0.6, 0.7, 1.0])
            ),
            min_size=1,
            max_size=4,
        )
    )
    blocks = [torch.where(shaped(kind, n, n) > 0.5, weight, 0.25) for kind, n, weight in parts]
    similar = torch.block_diag(*blocks)
    similar[similar == 0] = draw(st.sampled_from([-1.0, 0.0, 0.25]))
    place = torch.tensor(draw(st.permutations(range(len(similar)))))
    return similar[place][:, place].fill_diagonal_(1.0)


@settings(max_examples=60, deadline=None)
@given(matrices())
def test_components_and_forest_equal_networkx_at_every_threshold(similar):
    forest = spanning_forest(torch.zeros(1, len(similar), 1), similar[None])
    for tau in taus_of(similar):
        expected = by_networkx(similar, tau)
        assert components(similar, tau).tolist() == expected
        assert forest.labels(tau)[0].tolist() == expected
        assert forest.counts(tau).tolist() == [max(expected) + 1]


@settings(max_examples=20, deadline=None)
@given(mixtures())
def test_chains_stars_and_giants_of_many_sizes_at_every_threshold(similar):
    forest = spanning_forest(torch.zeros(1, len(similar), 1), similar[None])
    weights = similar.unique().tolist()  # thresholds equal to a similarity, and in every gap
    for tau in {-1.0, *weights, *((a + b) / 2 for a, b in itertools.pairwise(weights))}:
        expected = by_networkx(similar, tau)
        assert components(similar, tau).tolist() == expected
        assert forest.labels(tau)[0].tolist() == expected
        assert forest.counts(tau).tolist() == [max(expected) + 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [4, 60, 197])
def test_shapes_that_break_union_find(kind, n):
    similar = shaped(kind, n, seed=n)
    forest = spanning_forest(torch.zeros(1, n, 1), similar[None])
    for tau in (0.2, 0.25, 0.5, 0.75, 1.0):
        expected = by_networkx(similar, tau)
        assert components(similar, tau).tolist() == expected
        assert forest.labels(tau)[0].tolist() == expected


@settings(max_examples=30, deadline=None)
@given(st.lists(matrices(9), min_size=1, max_size=4), st.sampled_from([-0.5, 0.0, 0.25, 0.6]))
def test_frames_are_independent(list_of_similar, tau):
    n = min(len(s) for s in list_of_similar)
    similar = torch.stack([s[:n, :n] for s in list_of_similar])
    expected = [by_networkx(s, tau) for s in similar]
    forest = spanning_forest(torch.zeros(len(similar), n, 1), similar)
    assert forest.labels(tau).tolist() == expected
    assert frame_components(edges_above(similar, cut(tau))).tolist() == expected


@settings(max_examples=30, deadline=None)
@given(matrices())
def test_forest_edges_are_exactly_those_that_make_the_components(similar):
    forest = spanning_forest(torch.zeros(1, len(similar), 1), similar[None])
    for tau in taus_of(similar)[::3]:
        frame, i, j, weight = forest.edges(tau)
        labels = unite(torch.arange(len(similar)), i, j)
        assert len(i) == len(similar) - len(labels.unique())
        assert torch.equal(labels.unique(return_inverse=True)[1], components(similar, tau))
        assert torch.equal(weight, similar[i, j])
        assert (frame == 0).all()


def test_rows_made_on_the_way_span_the_same_tree():
    x = unit(torch.randn(3, 20, 6, generator=torch.Generator().manual_seed(0)))
    with_matrix, without = spanning_forest(x, similarities(x)), spanning_forest(x)
    assert torch.equal(with_matrix.order, without.order)
    torch.testing.assert_close(with_matrix.weight, without.weight)


def test_forest_starts_at_the_first_token():
    forest = spanning_forest(torch.zeros(2, 3, 1), torch.eye(3).expand(2, 3, 3))
    assert forest.order[:, 0].tolist() == forest.parent[:, 0].tolist() == [0, 0]
    assert (forest.weight[:, 0] == -torch.inf).all()


@settings(max_examples=40, deadline=None)
@given(matrices(), st.sampled_from([-0.5, 0.0, 0.25, 0.5]))
def test_hubs_have_the_largest_degree_and_number_the_components(similar, tau):
    labels, degree = components(similar, tau), degrees(similar, tau)
    n = len(similar)
    counted = [sum(similar[i, j].item() > tau for j in range(n) if j != i) for i in range(n)]
    assert degree.tolist() == counted
    component, hub = hub_order(labels, degree)
    with pytest.MonkeyPatch.context() as patch:  # a GPU's way
        patch.setattr(graph, "with_numpy", lambda x: False)
        assert all(map(torch.equal, hub_order(labels, degree), (component, hub)))
    members = [[v for v in range(n) if labels[v] == k] for k in range(int(labels.max()) + 1)]
    hubs = sorted((min(m, key=lambda v: (-counted[v], v)), m) for m in members)
    assert hub.tolist() == [h for h, _ in hubs]
    assert all(component[v] == k for k, (_, m) in enumerate(hubs) for v in m)


def test_no_tokens_no_components():
    empty = torch.zeros(0, 0)
    assert components(empty, 0.5).numel() == 0
    assert spanning_forest(torch.zeros(2, 0, 3), torch.zeros(2, 0, 0)).labels(0.5).shape == (2, 0)
