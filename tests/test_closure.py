import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from scissor import closure, cosine, graph, merge, tiles, union
from scissor.bench.features import features
from scissor.closure import linked, smallest, tally
from scissor.scc import compress

pytestmark = pytest.mark.usefixtures("one_thread")
ways = pytest.mark.parametrize("square", [0, closure.SQUARE], ids=["turns", "squared"])


def by_networkx(hits: Tensor) -> list[int]:
    graph = nx.from_numpy_array(hits.numpy())
    labels = [0] * len(hits)
    for members in nx.connected_components(graph):
        for v in members:
            labels[v] = min(members)
    return labels


@ways
@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 3),
    st.integers(1, 40),
    st.sampled_from([0.0, 0.02, 0.05, 0.3, 1.0]),
)
def test_components_and_degrees_of_any_hits(square, seed, graphs, n, dense):
    hits = torch.rand(graphs, n, n, generator=torch.Generator().manual_seed(seed)) < dense
    upper = hits.triu(1)
    both = upper | upper.mT
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closure, "SQUARE", square)
        labels, degree = linked(hits)
    assert labels.tolist() == [by_networkx(h) for h in both]
    assert torch.equal(degree, both.sum(-1))


@ways
@pytest.mark.parametrize("n", [1, 2, 3, 255, 256, 257])
def test_the_longest_path_is_found_wherever_it_goes(monkeypatch, square, n):
    monkeypatch.setattr(closure, "SQUARE", square)
    some = torch.randperm(n, generator=torch.Generator().manual_seed(n))
    for order in (some, torch.arange(n), torch.arange(n).flip(0)):
        hits = torch.zeros(1, n, n, dtype=torch.bool)
        hits[0, order[1:], order[:-1]] = hits[0, order[:-1], order[1:]] = True
        assert not smallest(hits).any()


@ways
def test_two_stars_of_thousands_stay_two(monkeypatch, square):
    """Beyond 2,048 float16 counts by twos; a path among thousands must still count."""
    monkeypatch.setattr(closure, "SQUARE", 4 * square)
    n, half = 2100, 1050
    hits = torch.zeros(1, n, n, dtype=torch.bool)
    for centre, leaves in ((half - 1, slice(0, half)), (half, slice(half, n))):
        hits[0, centre, leaves] = hits[0, leaves, centre] = True
    assert torch.equal(smallest(hits)[0], (torch.arange(n) >= half) * half)


def test_no_vertices_no_labels():
    for shape in ((0, 3, 3), (2, 0, 0)):
        labels, degree = linked(torch.zeros(shape, dtype=torch.bool))
        assert labels.shape == degree.shape == shape[:2]


@pytest.mark.parametrize("dense", [0.5, 1.0])
def test_long_rows_are_counted_by_words(dense):
    shape = (2, 3, 2 * closure.BYTES)
    hits = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < dense
    assert torch.equal(tally(hits), hits.sum(-1))
    assert torch.equal(tally(hits[..., :77]), hits[..., :77].sum(-1))


class Sent(TorchDispatchMode):
    """Counts what a GPU would be sent, and how often the host would wait for an answer."""

    WAITS = ("_local_scalar_dense", "nonzero", "equal", "bincount", "masked_select")

    def __init__(self) -> None:
        super().__init__()
        self.launches = self.waits = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.launches += not func.is_view
        self.waits += func.overloadpacket.__name__ in self.WAITS
        return func(*args, **kwargs or {})


@pytest.mark.parametrize("tau", [0.8, 0.95])
def test_a_gpu_is_sent_little_and_asked_less(monkeypatch, tau):
    for module in (cosine, graph, tiles, union):
        monkeypatch.setattr(module, "with_numpy", lambda x: False)
    monkeypatch.setattr(merge, "_worth_bounding", lambda *_: False)
    x = features(4, 16)
    compress(x, tau=tau)  # the first call fills the caches
    with Sent() as sent:
        compress(x, tau=tau)
    assert 50 < sent.launches < 150
    assert 0 < sent.waits <= 6
