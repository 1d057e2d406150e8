import json

import pytest
import torch

from scissor.bench import features, main, speed

ONCE = ["--repeats", "1", "--threads", "1"]


def test_features_are_the_same_every_time_and_behave_like_a_clip():
    from scissor.scc import compress

    x = features.features(6, 64)
    assert x.shape == (6, 196, 64)
    assert torch.equal(x, features.features(6, 64))
    assert not torch.equal(x, features.features(6, 64, seed=1))
    c = compress(x, retention=0.1)
    assert c.group.flatten().bincount().max() > 0.3 * c.counts[0]
    assert c.moved > 0.1


def test_the_report_says_what_was_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(speed, "TAUS", [0.0, 0.8, 1.0])
    monkeypatch.setattr(speed, "RETENTIONS", [0.1])
    out = tmp_path / "speed.json"
    sizes = ["--frames", "1", "2", "--width", "16", "--tokens", "500"]
    assert main(["speed", *ONCE, *sizes, "--clock", "processor", "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert "processor time" in report["machine"]
    assert [r["clip"] for r in report["prepared"]] == ["1 x 196 x 16", "2 x 196 x 16"]
    for row in report["search"]:
        assert row["kept, exact"] == row["asked"]
    assert len(report["search"]) == 2
    assert len(report["compress"]) == 4
    for row in report["compress"]:
        assert row["agree"] or row["margin"] < 2e-6
        assert row["ratio"] == pytest.approx(row["ours"] / row["floor"])
        assert row["tokens"] >= row["M"] >= row["K"] >= 1
        assert min(row["plain"], row["scipy"], *row["stages"].values()) > 0
    assert [r["tokens"] for r in report["step2"]] == [500, 500]
    assert all(r["memory MB"] is None or r["memory MB"] < 100 for r in report["step2"])
    printed = capsys.readouterr().out
    assert printed.count("| 2 x 196 x 16 |") == 2 + 1 + 1


def test_large_clips_are_left_out_of_the_baselines_unless_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(speed, "SOME", 0)
    monkeypatch.setattr(speed, "RETENTIONS", [0.1])
    out = tmp_path / "speed.json"
    tiny = [*ONCE, "--frames", "1", "--width", "4", "--json", str(out)]
    for more, there in (([], False), (["--baselines", "all", "--dials", "all"], True)):
        speed.main([*tiny, *more])
        report = json.loads(out.read_text())
        assert [("plain" in r) for r in report["compress"]] == 2 * [there]
        assert bool(report["prepared"]) == bool(report["search"]) == there


@pytest.mark.parametrize(
    "bad",
    [["--baselines", "perhaps"], ["--repeats", "0"], ["--clock", "processor", "--device", "cuda"]],
)
def test_bad_arguments_end_with_two(bad):
    with pytest.raises(SystemExit) as stop:
        speed.main(bad)
    assert stop.value.code == 2


@pytest.mark.parametrize(("device", "first"), [("cpu", (8, 576)), ("cuda", (32, 3584))])
def test_the_promised_clip_comes_first_on_a_gpu(device, first):
    sizes = speed._sizes(speed._arguments().parse_args(["--device", device]))
    assert sizes[0] == first
    assert len(set(sizes)) == 12


def test_a_run_that_is_cut_short_leaves_its_rows(monkeypatch, tmp_path):
    out = tmp_path / "speed.json"
    compare, calls = speed.compare, []

    def cut(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return compare(*arguments)

    monkeypatch.setattr(speed, "compare", cut)
    monkeypatch.setattr(speed, "RETENTIONS", [0.5, 0.1])
    tiny = [*ONCE, "--frames", "1", "--width", "4", "--json", str(out)]
    with pytest.raises(KeyboardInterrupt):
        speed.main([*tiny, "--baselines", "none"])
    assert len(json.loads(out.read_text())["compress"]) == 2


def test_another_device_is_compared_with_the_cpu():
    from scissor.scc import compress

    x = features.features(2, 16)
    group = compress(x, tau=0.8).group
    row = speed._beside_cpu(x, 0.8, group)
    assert row["agree"]
    assert 0 < row["margin"] < 1e-2
    group[0, 0] += 1
    assert not speed._beside_cpu(x, 0.8, group)["agree"]
