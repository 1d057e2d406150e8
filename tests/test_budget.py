import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor.budget import Curve, sample_curve, solve


def stairs(thresholds, bumps=()):
    """A count that rises by one above each threshold; bumps (at, width, height) disturb it."""
    calls = []

    def count(tau):
        calls.append(tau)
        extra = sum(h for at, w, h in bumps if at <= tau < at + w)
        return max(1, 1 + sum(tau >= t for t in thresholds) + extra)

    count.calls = calls
    return count


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-999, 999), min_size=1, max_size=60, unique=True),
    st.floats(0, 1),
)
def test_a_reachable_target_of_a_monotone_count_is_met(thousandths, part):
    thresholds = [t / 1000 for t in thousandths]
    target = 1 + round(part * len(thresholds))
    tau, kept = solve(stairs(thresholds), target, probes=40)
    assert kept == target
    assert stairs(thresholds)(tau) == kept


def test_never_more_calls_than_probes_and_never_the_same_twice():
    for probes in (1, 2, 3, 7, 16):
        count = stairs([0.31] * 50 + [0.62] * 50)
        solve(count, 40, probes=probes)
        assert len(count.calls) <= probes
        assert len(set(count.calls)) == len(count.calls)


def test_a_jump_over_the_target_gives_the_nearer_side_the_smaller_on_a_tie():
    assert solve(stairs([0.5] * 10), 4)[1] == 1
    assert solve(stairs([0.5] * 10), 9)[1] == 11
    assert solve(stairs([0.5] * 10), 6)[1] == 1


def test_targets_out_of_reach_give_the_end():
    assert solve(stairs([0.0, 0.1]), 99)[1] == 3
    assert solve(lambda tau: 7, 1) == (pytest.approx(0, abs=1), 7)


def test_neighbours_are_looked_at_because_counts_fall_back():
    count = stairs([0.1 * k for k in range(1, 10)], bumps=[(0.45, 0.06, -2)])
    tau, kept = solve(count, 6, lo=0.0, probes=24)
    assert kept == 6
    assert count(tau) == 6


def test_known_points_save_probes():
    thresholds = list(np.linspace(-0.9, 0.9, 400))
    free = stairs(thresholds)
    solve(free, 300)
    bound = stairs(thresholds)
    near = ((0.4, bound(0.4)), (0.5, bound(0.5)))
    bound.calls.clear()
    tau, kept = solve(bound, 300, known=near, probes=3)
    assert abs(kept - 300) <= 1
    assert len(bound.calls) <= 3
    assert 0.4 <= tau <= 0.5


def test_a_known_point_that_meets_the_target_needs_no_probe():
    assert solve(lambda tau: pytest.fail("probed"), 5, known=[(0.1, 3), (0.2, 5)]) == (0.2, 5)


def test_curve_is_ascending_true_and_dense_where_it_moves():
    count = stairs(list(np.linspace(0.6, 0.8, 200)))
    points = sample_curve(count, [-1.0, 1.0], 201, 40)
    taus, kept = zip(*points, strict=True)
    assert list(taus) == sorted(set(taus))
    assert len(points) == 40
    assert all(count(t) == k for t, k in points)
    assert np.diff(kept).max() <= 30


def test_a_flat_curve_is_not_probed_in_vain():
    assert len(sample_curve(lambda tau: 3, [-1.0, 1.0], 9, 40)) == 2


def test_a_curve_s_points_start_the_search_between_its_neighbours():
    curve = Curve(np.array([-1.0, 0.2, 0.6, 1.0]), np.array([2, 4, 9, 20]), np.array([1, 3, 8, 20]))
    probed = []

    def count(tau):
        probed.append(tau)
        return 7

    assert solve(count, 6, known=curve.points, probes=3) == (pytest.approx(0.4, abs=0.2), 7)
    assert 0.2 < probed[0] < 0.6
    assert solve(count, 8, known=curve.points) == (0.6, 8)
