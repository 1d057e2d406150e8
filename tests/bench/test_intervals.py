"""Intervals hold what they promise."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scissor.bench.intervals import average, difference, mean_over_kinds, share, table


def test_wilsons_interval_of_a_textbook_case():
    found = share([1.0] * 8 + [0.0] * 2)
    assert (found.mean, found.n) == (0.8, 10)
    assert found.low == pytest.approx(0.490, abs=0.001)
    assert found.high == pytest.approx(0.943, abs=0.001)
    assert share([1.0] * 20).low < 0.9


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_an_average_lies_in_its_interval(values):
    found = average(values)
    assert 0 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1


def test_kinds_weigh_the_same_however_many_questions_they_have():
    rows = [(i, "a", 1.0) for i in range(30)] + [(i, "b", 0.0) for i in range(3)]
    assert mean_over_kinds(rows).mean == 0.5


def test_questions_of_one_clip_are_not_counted_as_independent():
    rng = random.Random(1)
    luck = [float(rng.random() < 0.5) for _ in range(100)]
    alike = [(i, kind, luck[i]) for i in range(100) for kind in "ab"]
    apart = [(i, "a", luck[i]) for i in range(100)] + [(100 + i, "b", luck[i]) for i in range(100)]
    wide, narrow = mean_over_kinds(alike), mean_over_kinds(apart)
    assert wide.mean == narrow.mean
    assert (wide.high - wide.low) == pytest.approx(2**0.5 * (narrow.high - narrow.low), rel=0.02)


def test_the_interval_of_the_mean_covers_the_truth():
    rng, hits = random.Random(2), 0
    for _ in range(300):
        rows = []
        for clip in range(60):
            p = rng.choice([0.3, 0.9])
            rows += [(clip, kind, float(rng.random() < p)) for kind in rng.sample("abcd", 2)]
        found = mean_over_kinds(rows)
        hits += found.low <= 0.6 <= found.high
    assert hits / 300 > 0.9


@pytest.mark.parametrize("values", [[], [0.5]])
def test_a_share_needs_zeros_and_ones(values):
    with pytest.raises(ValueError, match="zeros and ones"):
        share(values)


def test_a_table_has_a_dash_where_nothing_was_measured():
    text = table({"list": {"all": share([1.0, 0.0])}}, ["all", "scc 10%"])
    head, line = text.splitlines()
    assert head.split() == ["all", "scc", "10%", "n"]
    assert line.split()[0] == "list"
    assert "50.0 [" in line
    assert line.split()[-2:] == ["-", "2"]


def test_pairs_show_a_difference_that_two_intervals_hide():
    rng = random.Random(3)
    one, two = [], []
    for clip in range(60):
        luck = float(rng.random() < 0.5)
        for kind in "ab":
            one.append((clip, kind, luck))
            two.append((clip, kind, 1.0 if clip % 10 == 0 else luck))
    apart = mean_over_kinds(one), mean_over_kinds(two)
    assert apart[0].high > apart[1].low
    gaps = [(clip, kind, b - a) for (clip, kind, a), (_, _, b) in zip(one, two, strict=True)]
    found = difference(gaps)
    assert found.mean == pytest.approx(apart[1].mean - apart[0].mean)
    assert found.low > 0
    back = difference((clip, kind, -value) for clip, kind, value in gaps)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_equal_runs_do_not_differ():
    found = difference((clip, "a", 0.0) for clip in range(9))
    assert (found.mean, found.low, found.high) == (0, 0, 0)
