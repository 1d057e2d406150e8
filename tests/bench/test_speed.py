import json

import pytest
import torch

from scissor.bench import features, main, speed


def test_features_are_the_same_every_time_and_behave_like_a_clip():
    from scissor.scc import compress

    x = features.features(6, 64)
    assert x.shape == (6, 196, 64)
    assert torch.equal(x, features.features(6, 64))
    assert not torch.equal(x, features.features(6, 64, seed=1))
    c = compress(x, retention=0.1)
    assert c.group.flatten().bincount().max() > 0.3 * c.counts[0]
    assert c.moved > 0.1


def test_the_report_says_what_was_measured(tmp_path, capsys):
    out = tmp_path / "speed.json"
    sizes = ["--frames", "2", "3", "--width", "16", "--repeats", "1", "--tokens", "500"]
    assert main(["speed", *sizes, "--baselines", "all", "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert [(r["frames"], r["width"]) for r in report["prepared"]] == [(2, 16), (3, 16)]
    assert len(report["compress"]) == 8
    for row in report["compress"]:
        assert row["agree"] or row["margin"] < 2e-6
        assert row["ratio"] == pytest.approx(row["ours"] / row["floor"])
        assert row["tokens"] >= row["M"] >= row["K"] >= 1
        assert min(row["plain"], row["scipy"], *row["stages"].values()) > 0
    assert [r["tokens"] for r in report["step2"]] == [500, 500]
    printed = capsys.readouterr().out
    assert printed.count("| 3 x 196 x 16 |") == 4


def test_bad_arguments_end_with_two():
    with pytest.raises(SystemExit) as stop:
        speed.main(["--baselines", "perhaps"])
    assert stop.value.code == 2
