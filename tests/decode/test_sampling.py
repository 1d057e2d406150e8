import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scissor.decode.sampling import LEAD, fit, pick, span, thrifty

gaps = st.lists(st.integers(1, 500), min_size=0, max_size=80)


def times_of(gaps):
    return np.concatenate([[0.0], np.cumsum(gaps, dtype=float)])


@given(gaps, st.integers(1, 100))
def test_picks_are_different_and_hold_both_ends(gaps, count):
    times = times_of(gaps)
    picks = pick(times, count)
    assert len(picks) == min(count, len(times))
    assert (np.diff(picks) > 0).all()
    assert picks[0] == 0
    assert picks[-1] == len(times) - 1 or count == 1


@given(st.integers(2, 400), st.integers(2, 64))
def test_at_a_constant_rate_picks_are_uniform_indices(n, count):
    picks = pick(np.arange(n) * 40.0, count)
    uniform = np.linspace(0, n - 1, min(n, count))
    assert np.abs(picks - uniform).max() <= 0.501


@given(gaps, st.integers(2, 20))
def test_every_pick_is_the_nearest_frame_where_those_differ(gaps, count):
    times = times_of(gaps)
    wanted = np.linspace(0, times[-1], count)
    nearest = np.abs(times[:, None] - wanted).argmin(0)
    if len(set(nearest)) == count:
        assert pick(times, count).tolist() == nearest.tolist()


@given(gaps, st.floats(0, 50_000), st.floats(0, 50_000))
def test_a_span_holds_the_frames_between_its_ends(gaps, start, end):
    times = times_of(gaps)
    start, end = min(start, end), max(start, end)
    inside = np.flatnonzero((times >= start - 0.5) & (times <= end + 0.5))
    part = span(times, start, end)
    chosen = np.arange(len(times))[part]
    if len(inside):
        assert chosen.tolist() == inside.tolist()
    else:  # the frame on show at start
        assert chosen.tolist() == [np.flatnonzero(times <= start)[-1]]


def test_a_span_without_ends_is_everything():
    assert span(np.arange(5.0), None, None) == slice(0, 5)


@given(st.integers(30, 3000), st.integers(2, 40), st.integers(1, 300), st.integers(0, 5000))
def test_thrift_moves_inner_picks_a_little_and_only_over_the_budget(n, count, every, budget):
    picks = pick(np.arange(n) * 40.0, count)
    moved = thrifty(picks, np.arange(0, n, every), budget)
    assert (moved[[0, -1]] == picks[[0, -1]]).all()
    assert (np.diff(moved) > 0).all()
    assert np.abs(moved - picks).max() <= np.diff(picks).max() / 4
    if n <= budget:
        assert (moved == picks).all()


def test_thrift_lands_where_seeks_do():
    keys = np.arange(0, 54000, 250)
    moved = thrifty(pick(np.arange(54000.0), 32), keys, 100)
    assert all(m - LEAD in keys for m in moved[1:-1])


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 200))
def test_fit_keeps_the_shape_and_never_enlarges(width, height, longest):
    image = fit(np.zeros((height, width, 3), np.uint8), longest)
    assert max(image.shape) <= max(longest, 3)
    assert image.shape[0] <= height
    assert image.shape[1] <= width
    if min(image.shape[:2]) > 8:
        assert abs(image.shape[1] / image.shape[0] / (width / height) - 1) < 0.15


def test_fit_makes_pixels_square():
    assert fit(np.zeros((100, 100, 3), np.uint8), 1000, 2.0).shape == (50, 100, 3)
    assert fit(np.zeros((100, 100, 3), np.uint8), 1000, 0.5).shape == (100, 50, 3)


def test_thrift_leaves_short_clips_alone():
    picks = pick(np.arange(600.0), 16)
    assert thrifty(picks, np.arange(0, 600, 250), 100).tolist() == picks.tolist()
