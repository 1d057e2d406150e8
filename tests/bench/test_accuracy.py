"""The benchmark measures what it says: an oracle gets 100%, a parrot does not; runs continue."""

import json
import re

import numpy as np
import pytest
import torch

import scissor.models
from scissor import bench
from scissor.bench.accuracy import conditions, main, read_rows, run, summarise
from scissor.bench.measure import Condition
from scissor.cost import Shape
from scissor.methods import METHODS
from scissor.scenes import exam, exam_library
from scissor.scenes.portraits import portraits
from scissor.scenes.questions import KINDS
from scissor.types import Encoded


class Stand:
    """A model whose answers come from a function of (clip key, question, kept)."""

    name, max_frames, shape = "stand", 32, Shape(4, 8, 8, 2, 2, 10)

    def __init__(self, reply):
        self.reply, self.encoded, self.asked = reply, 0, 0

    def encode(self, video, *, attention=False):
        self.encoded += 1
        frames = len(video.frames)
        tokens = torch.randn(frames, 16, 8, generator=torch.Generator().manual_seed(self.encoded))
        seen = tokens.norm(dim=-1) if attention else None
        return Encoded(tokens, (4, 4), np.arange(frames) / 2, self.name, video.name, seen)

    def answer(self, encoded, kept, question, *, max_new_tokens=64, stop=None):
        self.asked += 1
        text = self.reply(int(encoded.key.split()[-1]), question, kept)
        yield from re.findall(r".{1,3}", text)

    def score(self, encoded, kept, question, answer):
        return torch.randn(len(answer) + 1, 10).log_softmax(-1)


@pytest.fixture(scope="module")
def clips():
    return exam(20)


@pytest.fixture
def oracle(clips):
    truth = {(clip.index, q.text): q.answer for clip in clips for q in clip.questions}
    return Stand(lambda index, question, kept: truth[index, question])


def measured(model, clips, wanted, **more):
    return run(model, clips, wanted, library=exam_library(), frames=4, **more)


def test_an_oracle_scores_one_hundred_percent_under_every_condition(clips, oracle):
    everything = conditions(["scc", "fastv", "visionzip", "dycoke"], [1, 0.5, 0.1])
    wanted = [condition for condition in everything if condition.title != "dycoke 10%"]
    rows = measured(oracle, clips, everything)
    assert oracle.encoded == len(clips)
    assert oracle.asked == 2 * len(clips) * len(wanted)
    found = summarise(rows)
    assert set(KINDS) < set(found)
    for row in found.values():
        assert set(row) == {condition.title for condition in wanted}
        assert all(estimate.mean == 1 for estimate in row.values())


def test_a_parrot_scores_low_and_its_rows_say_why(clips):
    rows = measured(Stand(lambda index, question, kept: "yes"), clips, [Condition("all", 1.0)])
    found = summarise(rows)
    assert found["mean"]["all"].mean < 0.15
    assert found["exist"]["all"].mean <= 0.8
    assert all(found[kind]["all"].mean == 0 for kind in KINDS if kind != "exist")
    assert rows[0]["answers"][0]["answer"] == "yes"
    assert rows[0]["kept"] == rows[0]["total"] == 4 * 16


def test_a_model_that_needs_all_tokens_shows_it(clips):
    truth = {(clip.index, q.text): q.answer for clip in clips for q in clip.questions}
    model = Stand(lambda index, question, kept: "" if kept else truth[index, question])
    found = summarise(measured(model, clips, conditions(["random"], [1, 0.25])))
    assert found["mean"]["all"].mean == 1
    assert found["mean"]["random 25%"].mean == 0


def test_the_command_prints_a_table_and_continues_where_it_stopped(
    tmp_path, monkeypatch, capsys, oracle
):
    monkeypatch.setattr(scissor.models, "load_model", lambda name, **_: oracle)
    out = tmp_path / "runs" / "few.jsonl"
    args = ["--frames", "4", "--retention", "1", "0.5", "--out", str(out)]
    assert main([*args, "--limit", "3"]) == 0
    assert "100.0 [" in capsys.readouterr().out
    lines = out.read_text().splitlines()
    assert len(lines) == 1 + 3 * 2
    assert json.loads(lines[0])["frames"] == 4
    out.write_text("\n".join([*lines[:-1], lines[-1][:20]]))
    asked = oracle.asked
    assert main([*args, "--limit", "4", "--methods", "scc", "pool"]) == 0
    rows = read_rows(out, json.loads(lines[0]))
    keys = [(row["clip"], row["method"]) for row in rows]
    assert len(set(keys)) == len(keys) == 4 * 3
    again = 3  # clips whose answers from all tokens the drift of a new condition needs
    assert oracle.asked - asked == 2 * (12 - 5 + again)
    table = capsys.readouterr().out
    for word in ("mean", "all", "scc 50%", "pool 50%", "list (F1)", "| 50% | Average pooling |"):
        assert word in table
    monkeypatch.setattr(scissor.models, "load_model", None)
    files = ["--table", str(tmp_path / "t.md"), "--chart", str(tmp_path / "c.svg")]
    assert main([*args, "--methods", "scc", "pool", "--report", *files]) == 0
    assert "mini, 4 clips" in capsys.readouterr().out
    assert (tmp_path / "t.md").read_text() in table
    assert (tmp_path / "c.svg").read_text().startswith("<svg")
    with pytest.raises(ValueError, match="nothing to report"):
        main([*args, "--methods", "frames", "--retention", "0.1", "--report"])
    with pytest.raises(ValueError, match="other settings"):
        main([*args[2:], "--frames", "8", "--limit", "3"])


def test_all_methods_are_every_one_of_them():
    found = {condition.method for condition in conditions(["all"], [1, 0.5])}
    assert found == {"all", *METHODS}


@pytest.mark.parametrize(
    ("methods", "shares"), [(["magic"], [0.5]), (["scc"], [0]), (["scc"], [1.5])]
)
def test_bad_arguments_are_named(methods, shares):
    with pytest.raises(ValueError, match=r"magic|retention"):
        conditions(methods, shares)


def test_all_tokens_are_one_condition_and_methods_share_the_budgets():
    wanted = conditions(["scc", "pool"], [0.1, 1, 0.5])
    assert [c.title for c in wanted] == ["all", "scc 50%", "scc 10%", "pool 50%", "pool 10%"]


def test_the_registry_of_benchmarks(capsys):
    assert bench.main(["--help"]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert bench.main(["magic"]) == 2
    assert "unknown benchmark 'magic'" in capsys.readouterr().err
    assert bench.main([]) == 2


def test_every_part_runs_by_the_command_and_keeps_to_its_own_file(tmp_path, monkeypatch, capsys):
    truth = {clip.index: clip.questions[0].answer for clip in portraits(12)}
    model = Stand(lambda index, question, kept: truth[index] if index % 2 else "a thing")
    model.answer_ids = lambda text: torch.zeros(len(text) + 1, dtype=torch.int64)
    monkeypatch.setattr(scissor.models, "load_model", lambda name, **_: model)
    out = ["--frames", "4", "--retention", "1", "--limit", "12", "--out"]
    assert main(["--part", "pictures", *out, str(tmp_path / "p")]) == 0
    told = capsys.readouterr().out
    assert "named, nothing else  50.0 [" in told
    assert "mean" not in told
    assert main(["--part", "choices", *out, str(tmp_path / "c")]) == 0
    assert "25 by chance" in capsys.readouterr().out
    headers = [json.loads((tmp_path / name).read_text().splitlines()[0]) for name in "pc"]
    assert "pictures" in headers[0]
    assert {"exam", "choices"} < set(headers[1])
    with pytest.raises(ValueError, match="other settings"):
        main([*out, str(tmp_path / "c")])
    with pytest.raises(ValueError, match="leave out --part"):
        main(["--part", "choices", *out, str(tmp_path / "c"), "--chart", "c.svg"])
