import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor import union
from scissor.union import _hook, few, joins, spread, totals, unite

pytestmark = pytest.mark.usefixtures("one_thread")


def by_networkx(n, edges):
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(n))
    labels = [0] * n
    for members in nx.connected_components(graph):
        for v in members:
            labels[v] = min(members)
    return labels


graphs = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=60),
    )
)


@settings(max_examples=60, deadline=None)
@given(graphs)
def test_labels_name_the_smallest_member_however_the_edges_come(graph):
    n, edges = graph
    i, j = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).unbind(1)
    half = len(i) // 2
    labels = unite(unite(torch.arange(n), i[:half], j[:half]), i[half:], j[half:])
    assert labels.tolist() == by_networkx(n, edges)
    hooked = _hook(_hook(torch.arange(n), i[:half], j[:half]), i[half:], j[half:])
    assert torch.equal(hooked, labels)


@pytest.mark.parametrize("n", [2, 1000, 5000])
def test_a_long_chain_loses_nobody(n):
    some = torch.randperm(n, generator=torch.Generator().manual_seed(n))
    for order in (some, torch.arange(n), torch.arange(n).flip(0)):
        for join in (unite, _hook):
            odd = join(torch.arange(n), order[1::2], order[: n - 1 : 2])
            assert not join(odd, order[2::2], order[1 : n - 1 : 2]).any()


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 3),
    st.integers(1, 12),
    st.integers(1, 12),
    st.sampled_from([0.0, 0.05, 0.3, 0.9, 1.0]),
)
def test_the_edges_picked_join_what_all_hits_join(seed, batch, a, b, dense):
    g = torch.Generator().manual_seed(seed)
    n = batch * (a + b)
    rows = torch.arange(batch * a).view(batch, a)
    columns = torch.arange(batch * b).view(batch, b) + batch * a
    hits = torch.rand(batch, a, b, generator=g) < dense
    known = torch.randint(0, n, (2, n // 4), generator=g)
    labels = unite(torch.arange(n), *known)
    u, v = joins(hits, rows, columns, labels)
    t, i, j = hits.nonzero(as_tuple=True)
    expected = unite(labels, rows[t, i], columns[t, j])
    assert torch.equal(unite(labels, u, v), expected)
    assert torch.equal(spread(labels, hits, rows, columns), expected)


@settings(max_examples=60, deadline=None)
@given(graphs)
def test_labels_spread_over_a_matrix_of_hits(graph):
    n, edges = graph
    index = torch.arange(n)[None]
    hits = torch.zeros(1, n, n, dtype=torch.bool)
    for i, j in edges:
        hits[0, i, j] = True
    assert spread(index[0], hits, index, index).tolist() == by_networkx(n, edges)


def test_labels_spread_along_a_chain_in_few_turns():
    n = 400
    some = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    hits = torch.zeros(1, n, n, dtype=torch.bool)
    hits[0, some[1:], some[:-1]] = True
    index = torch.arange(n)[None]
    assert not spread(index[0], hits, index, index).any()


def test_dense_hits_are_thinned():
    index = torch.arange(200)[None]
    u, v = joins(torch.ones(1, 200, 200, dtype=torch.bool), index, index, index[0])
    assert len(u) == len(v) <= 400
    assert not unite(index[0], u, v).any()


def test_few_hits_are_listed_many_are_not():
    hits = torch.zeros(2, 3, 5, dtype=torch.bool)
    hits[0, 2, 1] = hits[1, 0, 4] = hits[1, 2, 0] = True
    assert [at.tolist() for at in few(hits)] == [[0, 1, 1], [2, 0, 2], [1, 4, 0]]
    assert few(torch.ones(1, 200, 200, dtype=torch.bool)) is None
    assert all(len(at) == 0 for at in few(hits[:0]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=40), st.booleans())
def test_totals_are_sums_by_part_and_zero_for_an_empty_one(parts, numpy):
    x = torch.randint(-9, 9, (len(parts), 3)).float()
    part = torch.tensor(parts, dtype=torch.int64)
    expected = torch.stack([x[part == k].sum(0) for k in range(7)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(union, "with_numpy", lambda x: numpy)
        assert torch.equal(totals(x, part, 7), expected)
