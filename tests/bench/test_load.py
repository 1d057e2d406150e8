"""Four visitors at once: one good, one with a camera, one bad, one who leaves."""

import os
import sys
from dataclasses import asdict

import pytest

from scissor.bench.load import failures, measure, resident, table
from scissor.bench.visitors import Truth, Visit, holds, own_clip
from scissor.ui.opening import Opening
from scissor.ui.page import build, launch_options


@pytest.fixture
def address(desk, monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    page = build(desk, Opening())
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url.rstrip("/")
    page.close()


def test_four_visitors_at_once_get_what_is_theirs(address, desk):
    truth = Truth(desk.shelf.model)
    found = measure(address, os.getpid(), (0, 2, 3, 4), 1, truth)
    assert failures(found) == []
    assert found["alive"]
    kinds = [visit["kind"] for visit in found["visits"]]
    for kind, times in (("encode", 2), ("answer", 2), ("camera", 1), ("leave answer", 1)):
        assert kinds.count(kind) == times
    assert len([kind for kind in kinds if kind.startswith("bad")]) == 5
    assert "the page lives" in table(found)
    if sys.platform.startswith("linux"):
        assert all(mb > 10 for mb in found["memory"])


def test_a_wrong_answer_is_found_out(address, desk, tmp_path):
    truth = Truth(desk.shelf.model)
    made = truth.of("answer", own_clip(tmp_path, 1))
    assert holds(made | {"seconds": 3}, truth.of("answer", own_clip(tmp_path, 1)))
    assert not holds(made, {"all": {"text": "something else", "tokens": made["all"]["tokens"]}})
    assert not holds(None, made)
    assert not holds({}, truth.of("encode", own_clip(tmp_path, 1)))


def test_the_table_counts_what_went_wrong():
    visits = [Visit(0, 0, "encode", 1.0, "right"), Visit(1, 0, "encode", 3.0, "wrong: {}")]
    found = {
        "seconds": [3.0],
        "memory": [100.0, None],
        "alive": False,
        "visits": [asdict(visit) for visit in visits],
    }
    encode = next(line for line in table(found).splitlines() if line.startswith("encode"))
    assert encode.split() == ["encode", "2", "1", "2.0", "s", "3.0", "s"]
    assert "100 -> ? MB" in table(found)
    assert "is dead" in table(found)
    assert failures(found) == ["encode of client 1 in wave 0: wrong: {}"]


def test_memory_of_no_process_is_unknown():
    assert resident(None) is None
