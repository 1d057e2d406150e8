import numpy as np
import pytest
import torch
from drawnclips import clip, clips
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor import scc
from scissor.scc import compress, curve, prepare
from scissor.types import cell_places

pytestmark = pytest.mark.usefixtures("one_thread")


@settings(max_examples=60, deadline=None)
@given(clips, st.floats(0.001, 1), st.sampled_from(["both", "temporal"]))
def test_exact_mode_meets_the_budget(x, retention, steps):
    c = compress(x, retention=retention, exact=True, steps=steps)
    total = x.shape[0] * x.shape[1]
    assert c.kept == c.target == max(1, int(np.ceil(retention * total - 1e-6)))
    assert c.miss == 0
    assert len(c.tokens) == len(c.hub) == len(c.place) == c.kept
    assert c.group.unique().tolist() == list(range(c.kept))


@settings(max_examples=30, deadline=None)
@given(clips, st.floats(0.01, 0.99))
def test_one_step_alone_meets_the_budget_or_keeps_a_token_a_frame(x, retention):
    c = compress(x, retention=retention, exact=True, steps="spatial")
    assert c.kept == max(c.target, x.shape[0])
    assert c.tau_temporal is None


@settings(max_examples=30, deadline=None)
@given(clips, st.floats(0.01, 0.99))
def test_a_budget_without_exact_is_one_threshold(x, retention):
    c = compress(x, retention=retention)
    assert c.miss == c.kept - c.target
    assert c.tau_spatial == c.tau_temporal
    again = compress(x, tau=c.tau_spatial)
    assert again.counts == c.counts
    assert torch.equal(again.group, c.group)
    assert torch.equal(again.tokens, c.tokens)


def test_the_search_finds_what_a_fine_sweep_finds():
    x = prepare(clip(7, frames=6, n=25, width=16))
    kept = {compress(x, tau=t, merge=False).kept for t in np.linspace(-0.2, 1, 400)}
    for retention in (0.05, 0.1, 0.2, 0.35, 0.5, 0.8):
        c = compress(x, retention=retention)
        assert abs(c.kept - c.target) <= min(abs(k - c.target) for k in kept)


def test_exact_groups_are_those_of_the_threshold_where_one_meets_the_budget():
    x = clip(3, frames=5, n=16, width=16)
    for tau in (0.5, 0.7, 0.8, 0.9):
        at_tau = compress(x, tau=tau)
        exact = compress(x, retention=at_tau.retention, exact=True)
        assert exact.kept == at_tau.kept


def test_retention_one_returns_the_input():
    x = clip(1)
    for exact in (False, True):
        c = compress(x, retention=1, exact=exact)
        everything = torch.arange(48).view(4, 12)
        assert torch.equal(c.tokens, x.flatten(0, 1))
        for part in (c.spatial, c.group, c.share):
            assert torch.equal(part, everything)
        assert torch.equal(c.place, cell_places(4, c.grid))
        assert c.counts == (48, 48, 48)
        assert c.kept == c.target == 48


def test_curve_is_what_compress_does():
    p = prepare(clip(13, frames=5, n=16, width=16))
    sampled = curve(p)
    assert len(sampled.taus) <= 40
    assert (np.diff(sampled.taus) > 0).all()
    for tau, m, k in list(zip(sampled.taus, sampled.spatial, sampled.kept, strict=True))[::4]:
        assert compress(p, tau=float(tau)).counts == (80, m, k)
    c = compress(p, retention=0.2, curve=sampled)
    assert abs(c.kept - c.target) <= 1


@pytest.mark.parametrize("retention", [0.02, 0.1, 0.35, 0.5, 0.77, 0.98])
def test_a_budget_beside_a_curve_takes_three_probes_at_most(retention, monkeypatch):
    p = prepare(clip(18, frames=6, n=25, width=16))
    sampled, probes, count = curve(p), [], scc._count
    monkeypatch.setattr(scc, "_count", lambda *at: probes.append(at) or count(*at))
    with_curve = compress(p, retention=retention, curve=sampled)
    assert len(probes) <= 3
    assert abs(with_curve.miss) <= min(abs(k - with_curve.target) for k in sampled.kept)


def test_seconds_name_the_stages():
    assert set(compress(clip(0), retention=0.4).seconds) >= {"prepare", "search", "merge"}
