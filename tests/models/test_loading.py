import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from scissor.models import ModelError, load_model, loading, machine
from scissor.models.loading import Checkpoint


@pytest.fixture
def no_hub(monkeypatch):
    monkeypatch.setattr(machine, "cached_snapshot", lambda *_: None)
    monkeypatch.setattr(machine, "hub_reachable", lambda: False)
    monkeypatch.setattr(machine, "offline", lambda: False)


def test_importing_loads_neither_transformers_nor_gradio():
    code = (
        "import sys, scissor.models, scissor.cost, scissor.models.catalog, scissor.models.decoding;"
        "print(sorted({'transformers', 'gradio', 'huggingface_hub'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["nonesuch", "/no/such/folder", "./nor/this", "a/b/c", ""])
def test_a_name_that_is_nothing_lists_what_is_known(name, no_hub):
    with pytest.raises(ModelError, match=r"known model \(mini, .*hub repository"):
        load_model(name)


@pytest.mark.parametrize("name", ["llava-onevision-7b", "someone/something"])
def test_without_a_hub_the_sentence_offers_the_embedded_model(name, no_hub, monkeypatch):
    with pytest.raises(ModelError, match=r"cannot be reached.*mini"):
        load_model(name)
    monkeypatch.setattr(machine, "offline", lambda: True)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        load_model(name)


def test_what_the_hub_refuses_becomes_a_sentence(no_hub, monkeypatch):
    import huggingface_hub
    from huggingface_hub import errors

    monkeypatch.setattr(machine, "hub_reachable", lambda: True)
    raised = {
        "gated": errors.GatedRepoError.__new__(errors.GatedRepoError),
        "no model": errors.RepositoryNotFoundError.__new__(errors.RepositoryNotFoundError),
        "could not be downloaded": OSError("disk full"),
    }
    for sentence, error in raised.items():

        def fail(*args, error=error, **kwargs):
            raise error

        monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
        with pytest.raises(ModelError, match=sentence):
            load_model("someone/something")


def test_folders_that_hold_no_known_checkpoint(tmp_path):
    with pytest.raises(ModelError, match="no readable config"):
        load_model(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match="no readable config"):
        load_model(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match="is a bert model; the families known here"):
        load_model(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llava_onevision"}))
    with pytest.raises(ModelError, match="tokenizer"):
        load_model(str(tmp_path))


def checkpoint(**more):
    return Checkpoint(Path("nowhere"), "tiny", {}, torch.device("cpu"), torch.float32, **more)


def test_four_bits_without_their_packages_name_the_pip_command(monkeypatch):
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install bitsandbytes accelerate"):
        loading._four_bit(checkpoint(four_bit=True))
    with pytest.raises(ModelError, match="not offered"):
        load_model("mini", four_bit=True)


def test_four_bits_are_asked_of_a_gpu(monkeypatch):
    monkeypatch.setattr(loading, "find_spec", lambda name: "there")
    with pytest.raises(ModelError, match="need a CUDA device"):
        loading._four_bit(checkpoint(four_bit=True))
    on_gpu = replace(checkpoint(four_bit=True), device=torch.device("cuda"), dtype=torch.bfloat16)
    options = loading._four_bit(on_gpu)
    assert options["quantization_config"].load_in_4bit
    assert options["quantization_config"].bnb_4bit_compute_dtype == torch.bfloat16
    assert options["device_map"] == {"": torch.device("cuda")}
