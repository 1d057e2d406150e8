"""The embedded model's folder."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from tinymini import NAMES, tiny_mini

from scissor.mini import load, save
from scissor.mini.loading import WEIGHTS, shipped
from scissor.mini.quantise import plain_state, round_weight, spec_of
from scissor.training.launch import widen


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mini")
    save(tiny_mini(), folder)
    return folder


def test_what_is_loaded_is_what_was_saved_rounded(saved):
    model, loaded = tiny_mini(), load(saved)
    state = plain_state(loaded)
    for name, weight in plain_state(model).items():
        spec = spec_of(name, weight.shape, model.config.bits)
        assert torch.equal(state[name], weight if spec is None else round_weight(weight, spec))
    assert all(weight.dtype == torch.float32 for weight in state.values())
    assert loaded.config == model.config
    assert loaded.class_names == model.class_names
    assert not any(part.is_meta for part in [*loaded.parameters(), *loaded.buffers()])
    assert loaded.decoder.lm_head.weight is loaded.table
    assert not loaded.training


def test_saving_again_writes_the_same_weights(saved, tmp_path):
    save(load(saved), tmp_path)
    first, second = load_file(saved / WEIGHTS), load_file(tmp_path / WEIGHTS)
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].dtype == second[name].dtype
        assert torch.equal(first[name].float(), second[name].float())


def test_drawn_names_are_saved_and_loaded(tmp_path):
    model = widen(tiny_mini(), ["kite", "yo-yo"])
    save(model, tmp_path)
    loaded = load(tmp_path)
    assert loaded.config == model.config
    assert loaded.class_names == [*NAMES, "kite", "yo-yo"]
    assert loaded.tower.branch.classifier.weight.shape[0] == 3
    assert loaded.reader.drawn_scale == model.reader.drawn_scale


def test_a_missing_weight_is_named(saved, tmp_path):
    for file in saved.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(saved / WEIGHTS)
    del weights["reader.up.weight.codes"]
    save_file(weights, tmp_path / WEIGHTS)
    with pytest.raises(KeyError, match=r"reader\.up\.weight"):
        load(tmp_path)


def test_the_shipped_model_is_whole_and_small():
    size = sum(file.stat().st_size for file in shipped().iterdir() if file.is_file())
    assert size <= 40e6
    model = load()
    assert len(model.tokenizer) == len(model.table)
    config = model.config
    assert len(model.class_names) == config.classes + config.drawn == 1000 + 587
    assert model.config.grid == (14, 14)
    assert all(weight.isfinite().all() for weight in plain_state(model).values())
