"""The Compare tab's work: rows in order, drift, floors, stopping, the search."""

from dataclasses import replace
from itertools import pairwise

import pytest

from scissor.fidelity import Probe, Smallest
from scissor.methods import METHODS
from scissor.ui.compare import Comparison
from scissor.ui.errors import RequestError

QUESTION = "how many tokens?"
NAMES = ["random", "scc", "visionzip", "frames"]


def never():
    return False


@pytest.fixture
def comparison(desk):
    return Comparison(desk)


@pytest.fixture
def opened(desk, clip):
    return desk.open(clip, "mini", 4)[1]


def last(boards):
    *_, board = boards
    return board


def test_every_method_answers_from_its_budget_in_table_order(comparison, opened):
    board = last(comparison.boards(opened, QUESTION, NAMES, 0.25, never))
    names = [row["name"] for row in board["rows"]]
    assert names == ["all", *(name for name in METHODS if name in NAMES)]
    for row in board["rows"]:
        words = "".join(piece[0] for piece in row["text"])
        assert words.strip() == f"I was given {row['kept']} tokens in 4 frames"
        assert row["state"] == "done"
        assert row["first"] <= row["total"]
    assert {row["name"]: row["kept"] for row in board["rows"]}["scc"] == 36


def test_drift_and_differing_words_are_against_all_tokens(comparison, opened):
    full, *rows = last(comparison.boards(opened, QUESTION, NAMES, 0.25, never))["rows"]
    assert "drift" not in full
    for row in rows:
        assert row["drift"] > 0
        assert row["agreement"] == 1
        assert row["fewer"] > 1
        assert [words.strip() for words, differs in row["text"] if differs] == [str(row["kept"])]
        assert set(row["views"]) == {"groups", "shares"}
        assert row["attends"] == METHODS[row["name"]].needs_attention


def test_rows_wait_for_their_turn(comparison, opened):
    """Never two at once: while a row answers, those below it wait and those above it are done."""
    order = ("done", "out of reach"), ("reading", "running"), ("waiting",)
    for board in comparison.boards(opened, QUESTION, NAMES, 0.25, never):
        ranks = [[row["state"] in states for states in order].index(True) for row in board["rows"]]
        assert all(one <= other for one, other in pairwise(ranks))
        assert ranks.count(1) <= 1


def test_a_budget_below_a_methods_floor_is_said(comparison, opened):
    *_, row = last(comparison.boards(opened, QUESTION, ["dycoke"], 0.05, never))["rows"]
    assert row["state"] == "out of reach"
    assert row["note"].startswith("Keeps at least")
    assert "views" not in row


def test_stopping_leaves_the_other_rows_unasked(comparison, opened):
    asked = []
    for board in comparison.boards(opened, QUESTION, NAMES, 0.25, lambda: bool(asked)):
        if board["rows"][1]["state"] == "done":
            asked.append(True)
    states = [row["state"] for row in board["rows"]]
    assert states[:2] == ["done", "done"]
    assert set(states[2:]) == {"stopped"}
    assert not comparison.desk.shelf.lock.locked()


def test_the_answer_from_all_tokens_is_asked_once(comparison, opened, monkeypatch):
    model, asked = comparison.desk.shelf.model, []
    answer = model.answer

    def watched(encoded, kept, *rest, **limits):
        asked.append(kept is None)
        return answer(encoded, kept, *rest, **limits)

    monkeypatch.setattr(model, "answer", watched)
    last(comparison.boards(opened, QUESTION, ["scc"], 0.25, never))
    last(comparison.boards(opened, QUESTION, ["scc"], 0.1, never))
    list(comparison.points(opened, QUESTION, ["scc"], (0.5,), never))
    assert sum(asked) == 1
    last(comparison.boards(opened, "another question?", ["scc"], 0.1, never))
    assert sum(asked) == 2


def test_points_hold_every_method_in_reach_at_every_retention(comparison, opened):
    found = list(comparison.points(opened, QUESTION, ["scc", "dycoke"], (0.5, 0.1), never))
    points = [point for point, _ in found if point]
    assert [(p.method, p.retention) for p in points] == [
        ("scc", 0.5),
        ("dycoke", 0.5),
        ("scc", 0.1),
    ]
    assert points[0].drift < points[2].drift
    assert all(0 < point.flops < full for point, full in found if point)


def test_the_search_tells_each_probe_and_then_what_it_found(comparison, opened):
    """The counting model's answer names its count: no smaller number of tokens keeps it."""
    *probes, found = comparison.smallest(opened, QUESTION, never)
    assert isinstance(found, Smallest)
    assert probes
    assert all(isinstance(probe, Probe) and not probe.same for probe in probes)
    assert found.retention == 1
    assert not comparison.desk.shelf.lock.locked()


def test_a_search_that_is_left_lets_the_model_go(comparison, opened):
    search = comparison.smallest(opened, QUESTION, never)
    next(search)
    search.close()
    assert not comparison.desk.shelf.lock.locked()


def test_the_model_is_taken_as_it_was_loaded(comparison, opened, monkeypatch):
    """A checkpoint in a folder has a name to show and a place to load it from."""
    taken, shelf = [], comparison.desk.shelf
    take = shelf.take
    monkeypatch.setattr(shelf, "take", lambda name: taken.append(name) or take(name))
    last(comparison.boards(replace(opened, source="a/folder"), QUESTION, ["scc"], 0.25, never))
    assert taken == ["a/folder"]


@pytest.mark.parametrize(("question", "names"), [("", ["scc"]), (QUESTION, []), (QUESTION, ["no"])])
def test_what_cannot_be_compared_is_a_sentence(comparison, opened, question, names):
    with pytest.raises(RequestError, match=r"\.$"):
        last(comparison.boards(opened, question, names, 0.25, never))
