"""The opening is real: encoded at start, its answers the embedded model's own."""

import json
import os

import pytest

from scissor.models import catalog
from scissor.ui import opening
from scissor.ui.desk import Desk
from scissor.ui.examples import KNOWN, OBJECTS
from scissor.ui.opening import Opening, fingerprint, open_page, record_answers, recorded


def test_the_page_opens_on_the_first_example_encoded(desk):
    found = open_page(desk)
    assert found.path == str(KNOWN[0].path)
    clip = desk.store.get(found.dials["handle"])
    assert len(clip.pictures) == opening.FRAMES
    assert (found.dials["lead"], found.dials["value"]) == ("retention", 0.1)


def test_without_a_model_it_opens_with_a_sentence(monkeypatch):
    monkeypatch.setattr("scissor.ui.desk.catalog.why_not", lambda entry: "It is missing.")
    found = open_page(Desk())
    assert found.status["kind"] == "bad"
    assert "It is missing." in found.status["text"]
    assert found.dials["handle"] is None


def test_without_examples_it_opens_empty(monkeypatch, desk):
    monkeypatch.setattr("scissor.ui.opening.examples", list)
    assert open_page(desk) == Opening()


def test_a_recording_is_shown_only_for_its_own_weights_and_question(desk, tmp_path):
    record = tmp_path / "opening.json"
    handle = open_page(desk).dials["handle"]
    clip = desk.store.get(handle)
    assert recorded(clip, "mark", OBJECTS, record) is None
    record.write_text("not JSON")
    assert recorded(clip, "mark", OBJECTS, record) is None
    right = record_answers(desk)
    record.write_text(json.dumps(right))
    shown = recorded(clip, "mark", OBJECTS, record)
    assert (shown["clip"], shown["kept"]["mark"]) == (clip.encoded.key, "mark")
    assert shown["all"]["state"] == shown["kept"]["state"] == "done"
    assert recorded(clip, "mark", "Another question?", record) is None
    record.write_text(json.dumps(right | {"weights": "others"}))
    assert recorded(clip, "mark", OBJECTS, record) is None


def test_the_fingerprint_follows_the_weights(tmp_path):
    assert fingerprint(tmp_path) == ""
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"one")
    first = fingerprint(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"two")
    assert len(first) == 64
    assert fingerprint(tmp_path) != first


def test_the_shipped_recording_is_what_the_embedded_model_says():
    reason = catalog.why_not(catalog.find("mini"))
    if reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    shipped = json.loads(opening.RECORD.read_text(encoding="utf-8"))
    now = record_answers(Desk())
    assert shipped["weights"] == now["weights"]
    assert shipped["question"] == now["question"]
    for side in ("all", "kept"):
        there, here = shipped["answers"][side], now["answers"][side]
        assert (there["text"], there["state"]) == (here["text"], here["state"])
        assert there["tokens"] == pytest.approx(here["tokens"], abs=5)
