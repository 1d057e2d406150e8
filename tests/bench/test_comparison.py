"""The comparison pairs what belongs together; table and chart show all of it and nothing else."""

import random
from xml.etree import ElementTree

import pytest

from scissor.bench.chart import chart
from scissor.bench.comparison import compare, complete, markdown
from scissor.bench.measure import Condition
from scissor.methods import METHODS
from scissor.scenes.questions import KINDS

DRIFT = {"all": 0.0, "scc": 0.5, "random": 0.1, "fastv": 0.9}
RETENTIONS = {"all": 1.0, "scc": 0.1, "random": 0.1, "fastv": 0.1}


def row(clip, method, scores, retention=None, **more):
    retention = RETENTIONS[method] if retention is None else retention
    kinds = KINDS[clip % 10], KINDS[(clip + 3) % 10]
    answers = [
        {"kind": kind, "score": score, "drift": DRIFT[method], "agreement": 0.75}
        for kind, score in zip(kinds, scores, strict=True)
    ]
    tokens = {
        "kept": round(1000 * retention),
        "mean": 1000 * retention,
        "flops": 10**10 * retention,
    }
    seconds = {"compress": 0.1, "first": 0.5}
    return {"clip": clip, "method": method, "retention": retention, "answers": answers} | (
        tokens | {"seconds": seconds} | more
    )


@pytest.fixture
def rows():
    """Random tokens are right where SCC is, and in every fifth clip where it is not."""
    rng, found = random.Random(0), []
    for clip in range(60):
        right = [float(rng.random() < 0.5) for _ in range(2)]
        found.append(row(clip, "all", [1.0, 1.0]))
        found.append(row(clip, "scc", right))
        found.append(row(clip, "random", right if clip % 5 else [1.0, 1.0]))
        found.append(row(clip, "fastv", right, mean=250.0))
    return found


def test_methods_are_compared_with_scc_in_pairs(rows):
    lines = {line.condition.method: line for line in compare(rows)}
    assert list(lines) == ["all", "scc", "fastv", "random"]
    assert lines["all"].share == 1
    assert lines["all"].against is None
    assert lines["scc"].against is None
    assert lines["scc"].share == pytest.approx(lines["scc"].right.mean)
    better = lines["random"].against
    assert better.mean == pytest.approx(lines["random"].right.mean - lines["scc"].right.mean)
    assert better.low > 0
    assert lines["random"].right.low < lines["scc"].right.high  # alone they would hide it
    same = lines["fastv"].against
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    assert (lines["fastv"].kept, lines["fastv"].mean) == (100, 250)
    assert lines["scc"].first == 0.5


def test_only_clips_measured_under_every_condition_count(rows):
    wanted = [Condition(method, share) for method, share in RETENTIONS.items()]
    wanted.append(Condition("pool", 0.1))
    assert complete(rows, wanted) == rows
    del rows[2]
    assert {row["clip"] for row in complete(rows, wanted)} == set(range(1, 60))
    few = complete(rows, wanted[:2])
    assert {row["method"] for row in few} == {"all", "scc"}
    assert len(few) == 120


def test_the_table_says_what_is_not_significant_and_what_is_out_of_reach(rows):
    text = markdown(compare(rows), ["scc", "random", "fastv", "dycoke"])
    table, note = text.split("\n\n")
    assert "in pairs" in note
    head, rule, *body = table.splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (head, *body)]
    assert {len(line) for line in cells} == {9}
    assert rule.count("|") == 10
    table = {line[1]: line for line in cells}
    assert table["FastV"][4] == "+0.0 [+0, +0] not significant"
    assert "not" not in table["Random tokens"][4]
    assert [table[name][5] for name in ("SCC", "FastV", "Random tokens")] == [
        "0.50",
        "0.90 ▴",
        "0.10 ▾",
    ]
    assert table["FastV"][6] == "100 (250)"
    assert table["SCC"][6] == "100"
    assert table["DyCoke merging"][2:] == ["-"] * 7
    assert table["all tokens"][:2] == ["100%", "all tokens"]


def test_the_chart_has_a_line_for_every_method_in_both_panels(rows):
    root = ElementTree.fromstring(chart(compare(rows)))
    space = "{http://www.w3.org/2000/svg}"
    lines = root.findall(f"{space}polyline")
    assert len(lines) == 3 * (2 + 1)  # and one in the legend
    words = [text.text for text in root.findall(f"{space}text")]
    assert {"SCC", "FastV", "Random tokens", "10", "100"} <= set(words)
    for line in lines:
        for spot in line.get("points").split():
            x, y = map(float, spot.split(","))
            assert 0 <= x <= 1010
            assert 0 <= y <= 400


def test_no_two_methods_share_a_colour(rows):
    like = [one for one in rows if one["method"] == "random"]
    every = [one | {"method": name} for name in METHODS for one in like]
    root = ElementTree.fromstring(chart(compare(every)))
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len({line.get("stroke") for line in lines}) == len(METHODS)


def test_a_better_method_stands_higher(rows):
    root = ElementTree.fromstring(chart(compare(rows)))
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")[:3]
    lowest = [float(line.get("points").split()[0].split(",")[1]) for line in lines]
    scc, fastv, chance = lowest
    assert scc == fastv > chance


def test_all_tokens_alone_make_a_table_and_a_chart(rows):
    lines = compare([row for row in rows if row["method"] == "all"])
    assert markdown(lines).count("all tokens") == 1
    assert chart(lines).startswith("<svg")
    few = compare([row for row in rows if row["method"] == "random"])
    assert few[0].share is None
    assert few[0].against is None
    assert "Random tokens" in chart(few)
    assert "Random tokens" in markdown(few)
