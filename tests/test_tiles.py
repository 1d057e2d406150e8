import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from scissor import closure, cosine, graph, tiles, union
from scissor.cosine import similarities, unit
from scissor.graph import components, degrees

pytestmark = pytest.mark.usefixtures("one_thread")


def circle(n: int) -> Tensor:
    """A chain: directions one degree apart."""
    angle = torch.arange(n) * math.radians(1)
    return torch.stack([angle.cos(), angle.sin()], 1)


def star(n: int) -> Tensor:
    """Leaves at 30 degrees from a centre, 41 from each other."""
    leaf = math.sqrt(3) / 2 * torch.eye(n)[:, :1].T + torch.eye(n) / 2
    leaf[0] = torch.eye(n)[0]
    return leaf


def giant(n: int) -> Tensor:
    """All but three in one heap."""
    x = torch.randn(1, n) + 0.1 * torch.randn(n, n, generator=torch.Generator().manual_seed(n))
    x[-3:] = torch.randn(3, n, generator=torch.Generator().manual_seed(1))
    return x


def heaps(n: int) -> Tensor:
    """Duplicates of seven vectors, a zero vector among them."""
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(n))
    x[3] = 0
    return x[torch.arange(n) % 7]


SETS = {"chain": circle(150), "star": star(80), "giant": giant(90), "heaps": heaps(100)}
TAUS = {"chain": [0.9997, 0.99985], "star": [0.8, 0.87], "giant": [0.5, 0.9], "heaps": [0.2, 0.99]}


def shuffled(name: str) -> Tensor:
    x = SETS[name]
    return unit(x[torch.randperm(len(x), generator=torch.Generator().manual_seed(0))])


def named(labels: Tensor) -> list[int]:
    """Labels numbered 0.. by smallest member."""
    names: dict[int, int] = {}
    return [names.setdefault(v, len(names)) for v in labels.tolist()]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("tile", [1, 7, 32, 768])
def test_tiles_link_what_the_matrix_links(monkeypatch, name, tile):
    if tile == 1:  # the largest sets in the smallest tiles take long and show no more
        monkeypatch.setitem(SETS, name, SETS[name][:40])
    monkeypatch.setattr(tiles, "CPU_TILE", tile)
    units = shuffled(name)
    similar = similarities(units)
    for tau in [*TAUS[name], -1.0, 0.0, 1.0]:
        if tau == 0 and (similar.abs() < 1e-6).any() and name != "heaps":
            continue
        labels, degree = tiles.link(units, tau)
        assert named(labels) == components(similar, tau).tolist()
        assert torch.equal(degree, degrees(similar, tau))
        assert torch.equal(labels[labels], labels)
        assert (labels <= torch.arange(len(labels))).all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 60),
    st.integers(1, 6),
    st.floats(-1, 1),
    st.sampled_from([4, 16, 768]),
    st.booleans(),
    st.sampled_from([0, tiles.WHOLE_HITS]),
)
def test_random_sets_in_random_tiles(seed, n, width, tau, tile, numpy, hits):
    """On CUDA torch does what numpy and scipy do on a CPU, at once or in strips."""
    units = unit(torch.randn(n, width, generator=torch.Generator().manual_seed(seed)))
    similar = similarities(units)
    if width > 1 and bool(((similar - tau).abs() < 2e-6).any()):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "CPU_TILE", tile)
        patch.setattr(tiles, "GPU_STRIP", (tile, tile + 20))
        patch.setattr(tiles, "WHOLE_HITS", hits)
        patch.setattr(tiles, "WHOLE", 20)
        for module in (tiles, closure):
            patch.setattr(module, "BYTES", 16)
        for module in (cosine, graph, tiles, union):
            patch.setattr(module, "with_numpy", lambda x: numpy)
        labels, degree = tiles.link(units, tau)
    assert named(labels) == components(similar, tau).tolist()
    assert torch.equal(degree, degrees(similar, tau))


def test_no_vectors_no_labels():
    labels, degree = tiles.link(torch.zeros(0, 3), 0.5)
    assert labels.numel() == degree.numel() == 0
    assert all(len(end) == 0 for end in tiles.heaviest_edges(torch.zeros(1, 3), 0))


def kruskal(similar: Tensor, count: int) -> list[tuple[float, int, int]]:
    n = len(similar)
    edges = sorted((-similar[i, j].item(), i, j) for i in range(n) for j in range(i + 1, n))
    root, taken = list(range(n)), []
    for w, i, j in edges:
        if root[i] != root[j]:
            root = [root[i] if r == root[j] else r for r in root]
            taken.append((-w, i, j))
    return taken[:count]


def whole(units: Tensor) -> Tensor:
    """The similarities that heaviest_edges sees, to the bit."""
    similar = torch.zeros(len(units), len(units))
    for r, c, tile in tiles._edge_tiles(units, own=False):
        similar[r : r + tile.shape[0], c : c + tile.shape[1]] = tile
    return similar


def as_list(edges: tuple[Tensor, Tensor, Tensor]) -> list[tuple[float, int, int]]:
    i, j, weight = (end.tolist() for end in edges)
    return list(zip(weight, i, j, strict=True))


@pytest.fixture
def in_strips(monkeypatch):
    """What a GPU does, in strips smaller than any set."""
    for module in (cosine, graph, tiles, union):
        monkeypatch.setattr(module, "with_numpy", lambda x: False)
    monkeypatch.setattr(tiles, "GPU_STRIP", (5, 9))
    monkeypatch.setattr(tiles, "WHOLE", 3)


edges_of = given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 4), st.floats(0, 1))


def check_heaviest_edges(seed, n, width, part):
    g = torch.Generator().manual_seed(seed)
    units = unit(torch.randint(-2, 3, (n, width), generator=g).float())  # many ties
    count = round(part * (n - 1))
    assert as_list(tiles.heaviest_edges(units, count)) == kruskal(whole(units), count)


@settings(max_examples=60, deadline=None)
@edges_of
def test_heaviest_edges_are_those_of_kruskal(seed, n, width, part):
    check_heaviest_edges(seed, n, width, part)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@edges_of
def test_heaviest_edges_of_a_gpus_strips(in_strips, seed, n, width, part):
    check_heaviest_edges(seed, n, width, part)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kept", [0, 2**28])
def test_heaviest_edges_of_hard_sets(monkeypatch, name, kept):
    monkeypatch.setattr(tiles, "KEPT_TILES", kept)
    units = shuffled(name)[:60]
    similar = whole(units)
    for count in (0, 1, 30, 59):
        assert as_list(tiles.heaviest_edges(units, count)) == kruskal(similar, count)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(1, 20), st.sampled_from([3, 768]))
def test_nearest_is_the_largest_cosine_the_first_of_ties(seed, n, k, tile):
    g = torch.Generator().manual_seed(seed)
    units = unit(torch.randint(-2, 3, (n, 3), generator=g).float())
    anchors = unit(torch.randint(-2, 3, (k, 3), generator=g).float())
    exact = similarities(units.double(), anchors.double())
    exact = torch.where(exact > 1 - 2e-6, 1.0, exact)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "CPU_TILE", tile)
        found = tiles.nearest(units, anchors)
    best = exact.max(1).values
    assert (exact[torch.arange(n), found] >= best - 1e-6).all()
    sure = (best == 1) | ~units.any(1)  # exact in any precision
    assert torch.equal(found[sure], exact[sure].argmax(1))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(2, 20), st.sampled_from([2, 768]))
def test_a_staircase_finds_what_the_whole_product_finds(seed, n, k, tile):
    g = torch.Generator().manual_seed(seed)
    units, anchors = (unit(torch.randn(m, 4, generator=g)) for m in (n, k))
    similar = units @ anchors.T
    own = torch.randint(0, k, (n,), generator=g)
    mine = similar[torch.arange(n), own]
    reach = similar.amax(0) + torch.rand(k, generator=g)  # true bounds: none is nearer than that
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "CPU_TILE", tile)
        found = tiles.nearest_beyond(units, anchors, own, mine, mine, reach)
    assert torch.equal(found, similar.argmax(1))


def test_a_staircase_gives_ties_to_the_first():
    """Anchors 1, 2 and 4 are alike; whichever is the own one, 1 is the answer."""
    anchors = unit(torch.tensor([[0.0, 1], [2, 0], [1, 0], [0, -1], [3, 0]]))
    units = anchors[[1, 2, 4]]
    one, reach = torch.ones(3), torch.full((5,), 2.0)
    own = torch.tensor([1, 2, 4])
    assert tiles.nearest_beyond(units, anchors, own, one, one, reach).tolist() == [1, 1, 1]


def test_first_alike_is_nearest_among_themselves():
    units = shuffled("heaps")
    assert torch.equal(tiles.first_alike(units), tiles.nearest(units, units))


def test_first_alike_in_strips(in_strips):
    units = shuffled("heaps")
    assert torch.equal(tiles.first_alike(units), tiles.nearest(units, units))
