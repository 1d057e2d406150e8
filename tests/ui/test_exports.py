"""What a visitor takes home says what the page says."""

import json

import cv2
import pytest
import torch

from scissor.export import read_tokens
from scissor.scc import compress
from scissor.ui.export_tab import Exports
from scissor.ui.exports import (
    HOLD,
    RATE,
    Run,
    overlay_film,
    recipe,
    run_file,
    sweep_film,
    tokens_file,
)
from scissor.ui.figures import Look
from scissor.ui.redraw import STOPS, Dial, stops


@pytest.fixture
def run(desk, clip):
    _, shown = desk.open(clip, "mini", 5)
    dial = Dial("retention", 0.3)
    return Run(shown, desk.compression(shown, dial), dial, 5, "How\n many? ", clip.name)


def frames_of(path):
    film, count = cv2.VideoCapture(str(path)), 0
    while film.read()[0]:
        count += 1
    return count, film.get(cv2.CAP_PROP_FPS)


def test_the_tokens_come_back_with_their_provenance(run, tmp_path):
    made, facts = read_tokens(tokens_file(tmp_path, run))
    assert torch.equal(made.tokens, run.made.tokens)
    assert torch.equal(made.group, run.made.group)
    assert facts["clip"] == run.name


def test_the_run_holds_settings_counts_answers_times_and_versions(run, desk, tmp_path):
    *_, cards = desk.answers(run.clip, run.dial, run.question, lambda: False)
    found = json.loads(run_file(tmp_path, run, cards).read_text())
    assert found["settings"]["retention"] == 0.3
    assert found["settings"]["clip"] == run.name
    assert list(found["counts"].values()) == list(run.made.counts)
    for side, count in (("all", 180), ("kept", run.made.kept)):
        assert found["answers"][side]["text"] == f"I was given {count} tokens in 5 frames"
        assert found["answers"][side]["current"] is True
    assert found["seconds"]["encode"] > 0
    assert torch.__version__.startswith(found["versions"]["torch"])  # builds add +cpu, +cu130


def test_an_answer_made_with_other_settings_is_not_called_current(run, desk, tmp_path):
    *_, cards = desk.answers(run.clip, Dial("tau", 0.99), run.question, lambda: False)
    found = json.loads(run_file(tmp_path, run, cards).read_text())["answers"]
    assert (found["all"]["current"], found["kept"]["current"]) == (True, False)
    other = cards | {"clip": "another"}
    assert json.loads(run_file(tmp_path, run, other).read_text())["answers"] == {}
    for nothing in (None, {}, "cards"):
        assert json.loads(run_file(tmp_path, run, nothing).read_text())["answers"] == {}


@pytest.mark.parametrize("view", ["components", "groups", "shares"])
def test_the_overlays_film_has_a_picture_a_frame(run, tmp_path, view):
    path = overlay_film(tmp_path, run, Look(view))
    assert view in path.name
    assert frames_of(path) == (5, RATE)


def test_the_sweeps_film_falls_from_all_tokens_to_few(run, tmp_path):
    count, _ = frames_of(sweep_film(tmp_path, run, Look("shares", 2)))
    assert count == STOPS - 1 + HOLD
    taus = stops(run.clip)
    assert taus == sorted(taus, reverse=True)
    kept = [compress(run.clip.prepared, tau=tau).kept for tau in (taus[0], taus[-1])]
    assert kept[0] > 0.9 * 180
    assert kept[1] < 0.1 * 180


def test_the_lines_repeat_the_compression(run, clip, desk, monkeypatch, capsys):
    monkeypatch.chdir(clip.parent)
    monkeypatch.setattr("scissor.models.load_model", lambda name: desk.shelf.take(name))
    for dial in (run.dial, Dial("tau", 0.97), Dial("retention", 1)):
        made = desk.compression(run.clip, dial)
        lines = recipe(Run(run.clip, made, dial, 5, 'Is "it\'s" \\n?', clip.name))
        assert len(lines.splitlines()) == 5
        exec(lines, {})
        said = f"I was given {made.kept} tokens in 5 frames"
        assert capsys.readouterr().out.strip() == f"{made.counts} {said}"


def test_a_clip_that_has_left_gets_a_sentence(desk, clip, monkeypatch):
    told = []
    monkeypatch.setattr("scissor.ui.export_tab.gr.Warning", told.append)
    exports = Exports(desk, [])
    page = str(clip), "Why?", {"handle": "gone"}
    (update,) = exports.file(tokens_file, *page)
    assert update["value"] is None
    assert "left the server" in told[0]
    assert exports.lines(*page).startswith("# This clip has left")
    handle, _ = desk.open(clip, "mini", 5)
    page = str(clip), "Why?", {"handle": handle, "lead": "tau", "value": 0.9, "frames": 5}
    written = next(files := exports.film(overlay_film, {"view": "shares"}, *page))["value"]
    assert frames_of(written)[0] == 5
    assert list(files) == []
    assert not cv2.VideoCapture(written).isOpened()  # gone when the event ends
