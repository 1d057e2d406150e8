import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scissor import steps
from scissor.bench.features import features
from scissor.steps import Plan, enough, exact_steps, prepare, spatial_step, temporal_step

pytestmark = pytest.mark.usefixtures("one_thread")


def both(clip, tau):
    one = spatial_step(clip, Plan(), tau)
    return one, temporal_step(one, Plan(), tau)


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
