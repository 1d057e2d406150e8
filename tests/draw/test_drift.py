"""The drift charts."""

import pytest

from scissor.draw.drift import FLOOR, drift_chart
from scissor.fidelity import Point

POINTS = [
    Point("scc", 0.1, 10, 100, 50, 0.3, 0.8),
    Point("fastv", 0.5, 50, 100, 300, 0.0, 1.0),
    Point("scc", 0.5, 50, 100, 250, 0.02, 1.0),
]


def test_a_line_a_method_from_few_tokens_to_many():
    lines = drift_chart(POINTS).data
    assert [line.name for line in lines] == ["SCC", "FastV"]
    assert list(lines[0].x) == [0.1, 0.5]
    assert list(lines[0].y) == [0.3, 0.02]


def test_operations_are_shares_of_the_full_prompts():
    assert list(drift_chart(POINTS, 500).data[0].x) == pytest.approx([0.1, 0.5])
    assert list(drift_chart(POINTS, 1000).data[1].x) == pytest.approx([0.3])


def test_no_drift_stands_on_the_floor_of_the_logarithm():
    line = drift_chart(POINTS).data[1]
    assert list(line.y) == [FLOOR]
    assert line.customdata[0][0] == 0
