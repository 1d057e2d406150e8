"""Batches and processes change how quickly rows come, and nothing in them but the seconds."""

import argparse

import pytest
import torch
from tinymini import tiny_mini

from scissor.bench.accuracy import conditions, main, run
from scissor.bench.measure import measure
from scissor.bench.workers import Job, add_arguments, made, spread, way
from scissor.mini.loading import save
from scissor.models import ModelError, load_model
from scissor.scenes import exam, exam_library

pytestmark = pytest.mark.usefixtures("one_thread")
WANTED = conditions(["scc", "fastv", "dycoke"], [1, 0.25])  # DyCoke keeps half of two frames


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("model") / "tiny"
    save(tiny_mini(), place)
    return str(place)


def numbers(row):
    """The drifts, which differ by rounding; the rest of a row without them."""
    answers = [{k: v for k, v in a.items() if k != "drift"} for a in row["answers"]]
    return [a["drift"] for a in row["answers"]], {**row, "answers": answers, "seconds": {}}


def fails_at_one(model, clip, wanted, **options):
    if clip.index == 1:
        raise RuntimeError("no luck")
    return measure(model, clip, wanted, rows=600, **options)


def test_batches_in_workers_give_the_rows_of_one_answer_after_the_other(folder):
    clips, frames = exam(2), 2
    options = {"library": exam_library(), "frames": frames}
    one = torch.float32
    want = run(load_model(folder, device="cpu"), clips[:1], WANTED, **options)
    job = Job(folder, "cpu", one, None, frames, 2, fails_at_one)
    found = []
    with pytest.raises(ModelError, match=r"1 clips .*clip 1: RuntimeError: no luck"):
        run(None, clips, WANTED, **options, keep=found.append, spread=lambda t: spread(job, t))
    assert all(not row["seconds"] for row in found)
    assert all("first" in row["seconds"] for row in want)
    found.sort(key=lambda row: (row["clip"], row["method"], row["retention"]))
    assert len(found) == len(want) == 3
    for mine, theirs in zip(found, want, strict=True):
        (drift, rest), (other, same) = numbers(mine), numbers(theirs)
        assert rest == same
        assert drift == pytest.approx(other, abs=1e-3)


def arguments(*given):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    found = parser.parse_args(given)
    found.model, found.report, found.library, found.frames = "mini", False, None, 8
    return found


def test_on_a_gpu_batches_and_workers_are_the_default_and_on_a_cpu_neither(folder, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    job = way(arguments("--device", "cuda"), measure)["spread"].args[0]
    assert (job.device, job.dtype, job.workers) == ("cuda", torch.bfloat16, 12)
    assert job.each.keywords["rows"] > 0
    few = way(arguments("--device", "cuda", "--workers", "3", "--batch", "0"), measure)
    assert few["spread"].args[0].workers == 3
    assert few["spread"].args[0].each is measure
    args = arguments("--device", "cpu")
    args.model = folder
    here = way(args, measure)
    assert here["each"] is measure
    assert here["model"].name.startswith("tiny")


def test_the_header_says_where_rows_were_made():
    given = arguments("--device", "cuda", "--dtype", "float32")
    assert made(given) == {"device": "cuda", "dtype": "float32"}
    assert made(arguments("--device", "cuda:1"))["dtype"] == "bfloat16"
    report = arguments()
    report.report = True
    assert made(report) == {}


def test_runs_of_two_machines_stand_beside_each_other(folder, tmp_path, capsys):
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    args = ["--model", folder, "--device", "cpu", "--frames", "2", "--methods", "random"]
    args += ["--retention", "1", "0.2"]
    assert main([*args, "--batch", "900", "--limit", "2", "--out", str(here)]) == 0
    assert main([*args, "--limit", "1", "--dtype", "bfloat16", "--out", str(there)]) == 0
    with pytest.raises(ValueError, match="other settings"):
        main([*args, "--limit", "1", "--out", str(there)])
    capsys.readouterr()
    assert main([*args, "--report", "--out", str(here), "--beside", str(there)]) == 0
    told = capsys.readouterr().out
    for word in ("2 clips of 2", "right, cpu, float32", "right, cpu, bfloat16", "of 4 answers are"):
        assert word in told
    line = next(line for line in told.splitlines() if line.startswith("| 100% | all tokens"))
    assert line.rstrip(" |").endswith(" s")  # told by the run beside it
    with pytest.raises(ValueError, match="other settings"):
        main([*args, "--frames", "4", "--report", "--out", str(here)])
