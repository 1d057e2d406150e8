"""Two runs are compared on what both hold, and nothing else."""

import pytest

from scissor.bench.beside import beside
from scissor.bench.comparison import compare
from scissor.bench.measure import Condition


def row(clip, method, said, score, drift=0.0, first=None):
    answers = [
        {"kind": kind, "answer": text, "score": score, "drift": drift, "agreement": 1.0}
        for kind, text in zip(("count", "exist"), said, strict=True)
    ]
    tokens = {"kept": 9, "mean": 9, "flops": 10**9}
    seconds = {} if first is None else {"first": first}
    shared = {"clip": clip, "method": method, "retention": 1.0 if method == "all" else 0.1}
    return shared | tokens | {"seconds": seconds, "answers": answers}


@pytest.fixture
def here():
    return [
        row(0, "all", ("two", "yes"), 1.0),
        row(1, "all", ("three", "no"), 1.0),
        row(0, "scc", ("two", "yes"), 1.0, 0.25),
        row(5, "pool", ("two", "yes"), 1.0),
    ]


@pytest.fixture
def there():
    return [
        row(0, "all", ("two", "yes"), 1.0, first=0.2),
        row(0, "scc", ("two", "no"), 0.0, 0.5, first=0.1),
        row(7, "scc", ("two", "no"), 0.0, 0.5, first=0.9),
        row(6, "pool", ("two", "yes"), 1.0, first=0.1),
    ]


def test_the_same_clips_and_conditions_count(here, there):
    table, note = beside(here, there, ("gpu", "cpu")).split("\n\n")
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert lines[0][3:5] == ["right, gpu", "right, cpu"]
    assert lines[2] == ["100%", "all tokens", "2", "100.0", "100.0", "100.0%", "0.0000", "0.20 s"]
    assert lines[3] == ["10%", "SCC", "2", "100.0", "0.0", "50.0%", "0.2500", "0.10 s"]
    assert len(lines) == 4
    assert note == "75.0% of 4 answers are the same, letter by letter."


def test_nothing_in_common_is_said(here):
    with pytest.raises(ValueError, match="in common"):
        beside(here, here[:0], ("gpu", "cpu"))


def test_a_run_without_seconds_has_those_of_the_run_beside_it(here, there):
    lines = {line.condition: line for line in compare(here, there)}
    assert lines[Condition("all", 1.0)].first == 0.2
    assert lines[Condition("scc", 0.1)].first == pytest.approx(0.5)  # the median of its clips
    assert compare(here)[0].first is None
    assert next(line for line in compare(there, here)).first == 0.2
