import pytest
import torch

from scissor.models import catalog, machine
from scissor.models.catalog import ENTRIES, find, memory_needed, too_big, why_not

ONEVISION = find("llava-onevision-0.5b")
CPU = torch.device("cpu")


@pytest.fixture
def lone(monkeypatch, tmp_path):
    """A machine with room, no hub and an empty cache."""
    monkeypatch.setattr(machine, "free_memory", lambda device: 2**40)
    monkeypatch.setattr(machine, "cached_snapshot", lambda repository: None)
    monkeypatch.setattr(machine, "hub_reachable", lambda: False)
    monkeypatch.setattr(machine, "offline", lambda: False)


def test_entries_are_found_by_name_and_by_repository():
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert find(entry.name) is entry
        assert entry.tokens_per_frame == 196
        if entry.repository:
            assert find(entry.repository) is entry
    assert find("nobody/nothing") is None


def test_every_entry_has_its_decoders_sizes():
    from scissor.cost import SHAPES

    assert set(SHAPES) == {entry.name for entry in ENTRIES}


@pytest.mark.parametrize("name", ["llava-onevision-0.5b", "llava-onevision-7b"])
def test_parameters_equal_the_real_configurations(name):
    """The counts printed on the hub: 894 M and 8.03 B."""
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        Qwen2Config,
    )

    from scissor.cost import SHAPES

    shape = SHAPES[name]
    text = Qwen2Config(
        vocab_size=shape.vocab,
        hidden_size=shape.width,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        tie_word_embeddings=name.endswith("0.5b"),
    )
    with torch.device("meta"):
        model = LlavaOnevisionForConditionalGeneration(LlavaOnevisionConfig(text_config=text))
    assert sum(p.numel() for p in model.parameters()) == find(name).parameters


def test_parameters_of_the_embedded_model_equal_its_configuration():
    from scissor.mini.loading import blank, shipped

    model = blank(shipped())
    assert sum(p.numel() for p in model.parameters()) == find("mini").parameters
    assert model.config.grid == find("mini").grid
    assert model.config.max_frames == find("mini").max_frames


def test_memory_counts_the_type():
    small, large = (memory_needed(10**9, dtype) for dtype in (torch.bfloat16, torch.float32))
    assert large - small == 2 * 10**9


def test_too_little_memory_is_a_sentence_with_both_figures(monkeypatch):
    monkeypatch.setattr(machine, "free_memory", lambda device: 2 * 2**30)
    assert too_big(10**8, CPU, torch.float32) is None
    sentence = too_big(10**9, CPU, torch.float32)
    assert "4.7 GB" in sentence
    assert "2.0 GB" in sentence
    monkeypatch.setattr(machine, "free_memory", lambda device: None)
    assert too_big(10**12, CPU, torch.float32) is None


def test_why_not_names_the_first_thing_in_the_way(lone, monkeypatch):
    assert "cannot be reached" in why_not(ONEVISION)
    monkeypatch.setattr(machine, "offline", lambda: True)
    assert "HF_HUB_OFFLINE" in why_not(ONEVISION)
    monkeypatch.setattr(machine, "free_memory", lambda device: 10**6)
    assert "GB of memory" in why_not(ONEVISION)


def test_nothing_stands_in_the_way_of_a_downloaded_or_downloadable_model(lone, monkeypatch):
    monkeypatch.setattr(machine, "hub_reachable", lambda: True)
    assert why_not(ONEVISION) is None
    monkeypatch.setattr(machine, "hub_reachable", lambda: False)
    monkeypatch.setattr(machine, "cached_snapshot", lambda repository: "somewhere")
    assert why_not(ONEVISION) is None


def test_the_embedded_model_needs_its_files_alone(lone, monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "shipped", lambda: tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert "missing" in why_not(find("mini"))
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert why_not(find("mini")) is None
