import numpy as np
import pytest
import torch
from drawnclips import clip, clips
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scissor import cosine, graph, tiles, union
from scissor.bench import plain
from scissor.scc import compress, curve, prepare, temporal_edges
from scissor.types import Encoded, cell_places

pytestmark = pytest.mark.usefixtures("one_thread")


@settings(max_examples=150, deadline=None)
@given(
    clips,
    st.one_of(st.floats(-1, 1), st.sampled_from([-1.0, 0.3, 0.8, 1.0])),
    st.booleans(),
    st.sampled_from([3, 768]),
)
def test_equal_to_the_formulas_in_float64_loops(x, tau, merge, tile):
    precise = x.double().numpy()
    expected = plain.compress(precise, tau, merge)
    assume(plain.margin(precise, tau, expected) > 2e-6)
    for source in (x, prepare(x)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tiles, "CPU_TILE", tile)
            c = compress(source, tau=tau, merge=merge)
        assert c.counts == expected.counts
        assert np.array_equal(c.spatial, expected.spatial)
        assert np.array_equal(c.group, expected.group)
        assert np.array_equal(c.share, expected.share)
        assert np.array_equal(c.hub, expected.hub)
        np.testing.assert_allclose(c.tokens, expected.tokens, rtol=1e-5, atol=1e-5)
        assert (c.tau_spatial, c.tau_temporal, c.target, c.miss) == (tau, tau, None, None)


def test_tau_one_joins_nothing_not_even_duplicates():
    c = compress(clip(2, kind="repeats"), tau=1.0)
    assert c.counts == (48, 48, 48)
    assert torch.equal(c.group.flatten(), torch.arange(48))


def test_duplicates_join_below_one():
    x = clip(5)[:1].expand(6, -1, -1) * torch.arange(1, 7)[:, None, None]
    c = compress(x, tau=1 - 1e-5)
    assert c.counts == (72, 72, 12)
    assert torch.equal(c.group, c.group[:1].expand(6, -1))


def test_tau_minus_one_joins_everything():
    x = clip(4)
    c = compress(x, tau=-1.0)
    assert c.counts == (48, 4, 1)
    mean = x.mean(1).mean(0)
    torch.testing.assert_close(c.tokens[0], (mean + x.flatten(0, 1).sum(0)) / 49)


def test_zero_vectors_stay_alone_and_pull_nothing():
    x = clip(6)
    x[1, 3] = x[2, 5] = 0
    c = compress(x, tau=0.3)
    assert (c.group == c.group[1, 3]).sum() == 1
    assert (c.group == c.group[2, 5]).sum() == 1
    assert c.tokens.isfinite().all()
    assert compress(torch.zeros(2, 3, 4), tau=-1.0).counts == (6, 2, 1)
    assert compress(torch.zeros(2, 3, 4), tau=0.0).counts == (6, 6, 6)


@pytest.mark.parametrize("shape", [(1, 9, 4), (5, 1, 4), (1, 1, 4), (3, 4, 1)])
def test_one_frame_one_token_one_dimension(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    c = compress(x, tau=0.5)
    assert c.counts[0] == shape[0] * shape[1]
    assert c.group.shape == shape[:2]
    assert compress(x, retention=0.01, exact=True).kept == 1


@pytest.mark.parametrize("shape", [(0, 9, 4), (3, 0, 4), (0, 0, 0)])
def test_no_tokens_in_none_out(shape):
    for options in ({"tau": 0.5}, {"retention": 0.5}, {"retention": 0.5, "exact": True}):
        c = compress(torch.zeros(shape), **options)
        assert c.counts == (0, 0, 0)
        assert c.tokens.shape == (0, shape[2])
        assert c.retention == c.moved == 0
    assert curve(prepare(torch.zeros(shape))).kept.tolist() == [0, 0]


def test_tokens_without_width_are_zero_vectors():
    assert compress(torch.zeros(2, 3, 0), tau=0.0).counts == (6, 6, 6)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_named(value):
    x = clip(0)
    x[2, 7, 3] = value
    with pytest.raises(ValueError, match="token 7 of frame 2"):
        compress(x, tau=0.5)
    with pytest.raises(ValueError, match="token 7 of frame 2"):
        prepare(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either"),
        ({"tau": 0.5, "retention": 0.5}, "either"),
        ({"tau": 1.5}, "between -1 and 1"),
        ({"tau": float("nan")}, "between -1 and 1"),
        ({"retention": 0.0}, "retention"),
        ({"retention": 1.1}, "retention"),
        ({"tau": 0.5, "steps": "sideways"}, "steps"),
        ({"retention": 0.5, "exact": True, "epsilon": 0.1}, "exclude"),
        ({"tau": 0.5, "epsilon": 0.0}, "epsilon"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        compress(clip(0), **options)


def test_shapes_and_grids_are_checked():
    with pytest.raises(ValueError, match=r"\[frames, tokens, width\]"):
        compress(torch.zeros(3, 4), tau=0.5)
    with pytest.raises(ValueError, match="2 x 5"):
        prepare(clip(0), grid=(2, 5))
    assert prepare(clip(0), grid=(3, 4)).grid == (3, 4)
    assert prepare(clip(0)).grid == (1, 12)
    assert prepare(clip(0, n=9)).grid == (3, 3)


def test_encoded_brings_its_grid():
    x = clip(0)
    encoded = Encoded(x, (4, 3), np.zeros(4), "none", "key")
    c = compress(encoded, tau=0.8)
    assert c.grid == (4, 3)
    assert torch.equal(c.tokens, compress(x, tau=0.8).tokens)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_types_are_computed_in_float32(dtype):
    x = clip(8).to(dtype)
    c = compress(x, tau=0.8)
    assert c.tokens.dtype == torch.float32
    assert torch.equal(c.tokens, compress(x.float(), tau=0.8).tokens)


def test_provenance_hangs_together():
    x = clip(9, frames=6, n=16)
    c = compress(x, tau=0.75)
    total, m, k = c.counts
    assert c.spatial.unique().tolist() == list(range(m))
    assert c.group.unique().tolist() == list(range(k))
    assert (c.spatial.view(6, 16).diff(dim=0).flatten() != 0).all()  # frames share none
    per_component = [c.group[c.spatial == s].unique() for s in range(m)]
    assert all(len(g) == 1 for g in per_component)
    hub = c.hub[:, 0] * 16 + c.hub[:, 1]
    assert (hub.diff() > 0).all()
    assert torch.equal(c.group.flatten()[hub], torch.arange(k))
    cells = cell_places(6, c.grid)
    for j in range(k):
        share = (c.share == j).flatten()
        torch.testing.assert_close(
            c.place[j], cells[share].mean(0) if share.any() else cells[hub[j]]
        )
    assert set(c.seconds) == {"prepare", "spatial", "temporal", "merge"}


@settings(max_examples=40, deadline=None)
@given(clips, st.floats(-1, 1), st.randoms())
def test_permuting_frames_permutes_step_one(x, tau, random):
    order = random.sample(range(len(x)), len(x))
    a, b = (compress(v, tau=tau, steps="spatial", merge=False) for v in (x, x[order]))
    assert a.counts == b.counts
    for t, source in enumerate(order):
        left, right = b.spatial[t], a.spatial[source]
        assert torch.equal(left - left.min(), right - right.min())
        torch.testing.assert_close(a.tokens[right], b.tokens[left])


@settings(max_examples=40, deadline=None)
@given(clips, st.floats(-1, 1), st.integers(0, 10**6))
def test_scaling_tokens_changes_nothing_in_the_graph(x, tau, seed):
    similar = cosine.cosines(x)
    assume(not bool(((similar - tau).abs() < 2e-6).any()))
    exponents = torch.empty(*x.shape[:2], 1)
    scaled = x * 10 ** exponents.uniform_(-6, 6, generator=torch.Generator().manual_seed(seed))
    assert (cosine.cosines(scaled) - similar).abs().max() < 2e-6
    a, b = (compress(v, tau=tau, steps="spatial", merge=False) for v in (x, scaled))
    assert torch.equal(a.spatial, b.spatial)
    assert torch.equal(a.hub, b.hub)


def test_the_input_is_left_alone():
    x = clip(12).requires_grad_()
    before = x.detach().clone()
    c = compress(x, retention=0.3)
    assert torch.equal(x.detach(), before)
    assert not c.tokens.requires_grad


def test_temporal_edges_join_the_groups():
    p = prepare(clip(14, frames=6, n=16, width=16))
    for c in (compress(p, tau=0.7), compress(p, retention=0.1, exact=True)):
        i, j, weight = temporal_edges(p, c)
        assert len(i) == len(j) == len(weight) == c.counts[1] - c.kept
        ends = [(c.group[a[0], a[1]], c.group[b[0], b[1]]) for a, b in zip(i, j, strict=True)]
        assert all(a == b for a, b in ends)
        assert (weight >= c.tau_temporal).all()
        assert (weight.diff() <= 0).all()


def test_sampling_follows_equation_two():
    x = clip(15, frames=4, n=60, width=12)
    exact = compress(x, tau=0.8)
    tiny = compress(x, tau=0.8, epsilon=0.01)
    assert torch.equal(tiny.tokens, exact.tokens)
    kept = [
        compress(x, tau=0.8, epsilon=0.5, generator=torch.Generator().manual_seed(s)).kept
        for s in (1, 1, 2, 3, 4)
    ]
    assert kept[0] == kept[1]
    assert len(set(kept)) > 1
    assert min(kept) > exact.kept
    assert compress(x, tau=0.8, epsilon=0.5).kept == compress(x, tau=0.8, epsilon=0.5).kept


@settings(max_examples=40, deadline=None)
@given(clips, st.floats(-1, 1), st.floats(0.01, 0.99))
def test_the_way_of_other_devices_gives_the_same(x, tau, retention):
    """On CUDA torch does what numpy and scipy do on a CPU."""
    array, ways = x.double().numpy(), []
    sure = plain.margin(array, tau, plain.compress(array, tau)) > 2e-6
    drawn = not torch.equal(x, x.round())  # else a rank may hang on rounding, too
    for numpy in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            for module in (cosine, graph, tiles, union):
                patch.setattr(module, "with_numpy", lambda x, numpy=numpy: numpy)
            ways.append((compress(x, tau=tau), compress(x, retention=retention, exact=True)))
    for a, b, alike in zip(*ways, (sure, drawn), strict=True):
        for name in ("spatial", "group", "share", "hub") if alike else ():
            assert torch.equal(getattr(a, name), getattr(b, name))
    assert ways[0][1].kept == ways[1][1].kept


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_cuda_gives_the_same_groups(dtype):
    x = clip(17, frames=8, n=49, width=32).to(dtype)
    array = x.float().numpy()
    compared = 0
    for tau in torch.linspace(0.3, 0.99, 40).tolist():
        expected = plain.compress(array, tau)
        if plain.margin(array, tau, expected) <= 2e-6:
            continue
        c = compress(x.cuda(), tau=tau)
        assert c.group.is_cuda
        assert c.tokens.is_cuda
        for name in ("spatial", "group", "share", "hub"):
            assert np.array_equal(getattr(c, name).cpu(), getattr(expected, name))
        compared += 1
    assert compared > 10
    exact = compress(x.cuda(), retention=0.2, exact=True)
    assert exact.kept == exact.target


@pytest.mark.parametrize("tile", [1, 3, 7, 64])
def test_tiles_change_nothing(monkeypatch, tile):
    x = clip(16, frames=4, n=9, width=6)
    whole = compress(x, tau=0.8), compress(x, retention=0.3, exact=True)
    monkeypatch.setattr(tiles, "CPU_TILE", tile)
    tiled = compress(x, tau=0.8), compress(x, retention=0.3, exact=True)
    for a, b in zip(whole, tiled, strict=True):
        assert torch.equal(a.group, b.group)
        assert torch.equal(a.share, b.share)
        torch.testing.assert_close(a.tokens, b.tokens)
