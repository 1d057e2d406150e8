"""The mean of models: of every weight, with the last one's settings; only of like ones."""

import pytest
import torch
from tinymini import tiny_mini

from scissor.mini import load, save
from scissor.mini.quantise import plain_state
from scissor.training import mean


def two():
    one, other = tiny_mini(), tiny_mini(max_frames=8)
    with torch.no_grad():
        for weight in other.parameters():
            weight += torch.randn_like(weight)
    return one, other


def test_the_mean_is_that_of_every_weight_and_keeps_the_last_ones_settings():
    one, other = two()
    before = [{k: v.clone() for k, v in plain_state(model).items()} for model in (one, other)]
    both = mean.mean([one, other])
    assert both.config.max_frames == 8
    for name, weight in plain_state(both).items():
        torch.testing.assert_close(weight, (before[0][name] + before[1][name]) / 2)


def test_models_that_know_other_names_have_no_mean():
    one, other = two()
    other.class_names = other.class_names[::-1]
    with pytest.raises(ValueError, match="same names"):
        mean.mean([one, other])


def test_the_command_writes_the_mean_of_saved_models(tmp_path, monkeypatch):
    one, other = two()
    save(one, tmp_path / "one")
    save(other, tmp_path / "other")
    folders = [str(tmp_path / name) for name in ("out", "one", "other")]
    monkeypatch.setattr("sys.argv", ["mean", *folders])
    mean.main()
    out, *saved = (plain_state(load(folder)) for folder in folders)
    assert not torch.equal(saved[0]["place.linear.weight"], saved[1]["place.linear.weight"])
    want = (saved[0]["place.linear.weight"] + saved[1]["place.linear.weight"]) / 2
    torch.testing.assert_close(out["place.linear.weight"], want, atol=0.02, rtol=0)
