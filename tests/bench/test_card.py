"""The card's tables say what the runs hold, and nothing is measured twice."""

import json

import pytest
import torch
from bench.test_accuracy import Stand

import scissor.models
from scissor.bench.card import lengths_table, main, part_table
from scissor.scenes import exam
from scissor.scenes.portraits import portraits


def row(clip, scores, method="all", retention=1.0):
    answers = [{"kind": kind, "score": score} for kind, score in scores.items()]
    return {"clip": clip, "method": method, "retention": retention, "answers": answers}


def test_the_longer_clips_are_compared_in_pairs_on_the_clips_that_all_have():
    short = [row(i, {"count": 1.0, "where": float(i % 2)}) for i in range(20)]
    long = [row(i, {"count": float(i > 1), "where": float(i % 2)}) for i in range(10)]
    few = [row(i, {"count": 0.0, "where": 0.0}, "scc", 0.1) for i in range(10)]
    told = lengths_table({32: long + few, 8: short})
    assert told.startswith("10 clips, all tokens\n\n|  | 8 frames | 32 frames | n |")
    assert "| count | 100.0 [72, 100] | 80.0 [49, 94] | 10 |" in told
    assert "**75.0 [" in told
    assert "Against 8 frames, in pairs: 32 frames: -10.0 points [" in told


def test_a_table_holds_the_clips_that_were_measured_under_every_condition():
    rows = [row(i, {"list": 1.0}) for i in range(4)]
    rows += [row(i, {"list": 0.0}, "scc", 0.1) for i in range(3)]
    told = part_table("pictures", rows)
    assert told.startswith("3 clips\n\n|  | all | scc 10% | n |")
    assert "| named, nothing else | 100.0 [44, 100] | 0.0 [0, 56] | 3 |" in told
    assert "mean" not in told


def test_the_command_measures_what_is_missing_and_reports_what_is_there(
    tmp_path, monkeypatch, capsys
):
    clips = [*exam(3), *portraits(3)]
    truth = {(clip.index, q.text): q.answer for clip in clips for q in clip.questions}
    model = Stand(lambda index, question, kept: truth[index, question])
    model.answer_ids = lambda text: torch.zeros(len(text) + 1, dtype=torch.int64)
    monkeypatch.setattr(scissor.models, "load_model", lambda name, **_: model)
    args = [str(tmp_path), "--frames", "4", "--lengths", "4", "5", "--limit", "3"]
    args += ["--retention", "1", "0.5"]
    assert main([*args, "--model", "stand"]) == 0
    told = capsys.readouterr().out.rpartition("### exam: percent right, 4 frames")[2]
    for words in ("### choices", "### pictures", "| 4 frames | 5 frames |", "scc 50%", "+0.0 poi"):
        assert words in told
    files = {p.name: json.loads(p.read_text().splitlines()[0]) for p in tmp_path.iterdir()}
    names = {"exam-4.jsonl", "exam-5.jsonl", "choices-4.jsonl", "pictures-4.jsonl"}
    assert set(files) == names
    assert {header["model"] for header in files.values()} == {"stand"}
    before = model.encoded
    assert main([*args, "--model", "stand"]) == 0
    assert model.encoded == before
    assert main([*args, "--report"]) == 0
    with pytest.raises(ValueError, match="holds no run"):
        main([str(tmp_path / "none"), "--report"])
