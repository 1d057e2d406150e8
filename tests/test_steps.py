import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scissor import steps
from scissor.bench.features import features
from scissor.graph import similarities, unit
from scissor.steps import Plan, enough, exact_steps, merged, prepare, spatial_step, temporal_step
from scissor.tiles import nearest

torch.set_num_threads(1)


def both(clip, tau):
    one = spatial_step(clip, Plan(), tau)
    return one, temporal_step(one, Plan(), tau)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.integers(1, 10),
    st.integers(1, 3),
)
def test_bounds_never_exclude_a_nearer_token(seed, frames, n, width):
    """In a plane angles add up exactly: the bounds are as tight as they can be.

    So they are for two tokens just not alike enough: tau is one of the similarities.
    """
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(frames, n, width, generator=g) + torch.randn(width, generator=g)
    clip = prepare(x * torch.rand(frames, n, 1, generator=g))
    similar = similarities(clip.units.flatten(0, 1)).flatten()
    tau = float(similar[torch.randint(0, len(similar), (), generator=g)])
    one, two = both(clip, tau)
    units, anchors = clip.units.flatten(0, 1), unit(two.tokens)
    own, similar, floor, reach = steps._bounds(units, anchors, one, two)
    exact = units.double() @ anchors.double().T
    nearer = exact >= exact.gather(1, own[:, None])
    nearer.scatter_(1, own[:, None], False)
    assert (reach >= floor[:, None])[nearer].all()
    torch.testing.assert_close(
        similar.double(), exact.gather(1, own[:, None])[:, 0], atol=3e-6, rtol=0
    )


@pytest.mark.parametrize("tau", [0.91, 0.93, 0.96, 0.98])
def test_the_merge_with_bounds_is_the_merge_without(tau):
    clip = prepare(features(6, 48, seed=2))
    one, two = both(clip, tau)
    units, anchors = clip.units.flatten(0, 1), unit(two.tokens)
    assert steps._worth_bounding(units, one, two, Plan())
    two_best = similarities(units, anchors).topk(2, dim=1).values
    sure = two_best[:, 0] - two_best[:, 1] > 1e-6
    share = merged(clip, one, two, Plan())[1]
    assert torch.equal(share[sure], nearest(units, anchors)[sure])
    assert sure.float().mean() > 0.99


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 12), st.floats(0, 1))
def test_enough_is_the_lowest_threshold_that_leaves_enough(seed, frames, n, part):
    g = torch.Generator().manual_seed(seed)
    x = torch.randint(-1, 2, (frames, n, 4), generator=g).float()
    forest = prepare(x).forest
    target = max(1, round(part * frames * n))
    tau = enough(forest, target)
    assert forest.counts(tau).sum() >= target
    lower = forest.weight[forest.weight < tau]
    assume(len(lower[lower > -1]))
    assert forest.counts(float(lower.max())).sum() < target


@pytest.mark.parametrize("target", [1, 3, 17, 40, 70, 72])
@pytest.mark.parametrize("tau", [-1.0, 0.9, 1.0])
def test_any_threshold_may_start_an_exact_budget(target, tau):
    clip = prepare(features(3, 16, grid=(4, 6)))
    one, two = exact_steps(clip, Plan(), tau, target)
    assert len(two.hub) == len(two.tokens) == target
    assert len(one.hub) >= target
    assert one.tau >= tau


def test_frames_too_large_for_one_matrix_are_made_in_parts(monkeypatch):
    x = features(4, 16, grid=(5, 5))
    whole = prepare(x)
    for bytes_ in (4 * 25 * 25 * 2, 4 * 25 * 25, 100):  # two frames, one, not even one
        monkeypatch.setattr(steps, "MATRICES", bytes_)
        parts = prepare(x)
        assert parts.similar is None
        for tau in (0.5, 0.8, 0.9):
            for source in (parts, steps.normalise(x)):
                for a, b in zip(both(source, tau), both(whole, tau), strict=True):
                    assert torch.equal(a.component, b.component)
                    assert torch.equal(a.hub, b.hub)
                    torch.testing.assert_close(a.tokens, b.tokens)
        monkeypatch.undo()
