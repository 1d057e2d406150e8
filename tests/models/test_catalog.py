from datetime import date

import pytest
import torch
from real_configs import blank

from scissor.models import catalog, machine
from scissor.models.catalog import ENTRIES, find, memory_needed, too_big, why_not

ONEVISION = find("llava-onevision-0.5b")
CPU = torch.device("cpu")


@pytest.fixture
def lone(monkeypatch, tmp_path):
    """A machine with room, no hub and an empty cache."""
    monkeypatch.setattr(machine, "free_memory", lambda device: 2**40)
    monkeypatch.setattr(machine, "cached_snapshot", lambda *_: None)
    monkeypatch.setattr(machine, "hub_reachable", lambda: False)
    monkeypatch.setattr(machine, "offline", lambda: False)


def test_entries_are_found_by_name_and_by_repository():
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert find(entry.name) is entry
        if entry.repository:
            assert find(entry.repository) is entry
    assert find("nobody/nothing") is None


def test_every_entry_says_what_it_is_and_what_was_checked():
    for entry in ENTRIES:
        assert entry.licence
        assert entry.hardware
        assert entry.revision
        assert date.fromisoformat(entry.checked_on)
        assert "random" in entry.checked or entry.repository is None


def test_the_longest_clip_is_the_adapters():
    from importlib import import_module

    from scissor.models import FAMILIES

    files = {file: import_module(f"scissor.models.{file}") for file in FAMILIES.values()}
    for entry in ENTRIES[1:]:
        file = entry.name.rsplit("-", 1)[0].replace("-", "_").replace(".", "_")
        file = {"llava_onevision": "onevision", "smolvlm2": "smolvlm", "internvl3": "internvl"}.get(
            file, file
        )
        family = files[file].FAMILY
        assert entry.max_frames == family.max_frames
        assert entry.frames_per_step == family.stride


def test_where_tokens_vary_the_grid_is_a_wide_clips():
    from scissor.models.pixels import patch_size
    from scissor.models.qwen_vision import TOKENS

    for entry, unit in ((find("qwen2.5-vl-7b"), 28), (find("qwen3-vl-8b"), 32)):
        height, width = patch_size(1080, 1920, unit, TOKENS)
        assert (height // unit, width // unit) == entry.grid


def test_every_entry_has_its_decoders_sizes():
    from scissor.cost import SHAPES

    assert set(SHAPES) == {entry.name for entry in ENTRIES}


@pytest.mark.parametrize(
    "entry",
    [e for e in ENTRIES if "/LLaVA-Scissor" not in (e.repository or "/LLaVA-Scissor")],
    ids=lambda entry: entry.name,
)
def test_parameters_and_shapes_equal_the_real_configurations(entry):
    """The counts printed on the hub, such as 894 M and 8.03 B."""
    from scissor.cost import SHAPES, shape_of

    model = blank(entry.name)
    assert sum(p.numel() for p in model.parameters()) == entry.parameters
    assert shape_of(model.config) == SHAPES[entry.name]


def test_parameters_of_the_embedded_model_equal_its_configuration():
    from scissor.mini.loading import blank, shipped

    model = blank(shipped())
    assert sum(p.numel() for p in model.parameters()) == find("mini").parameters
    assert model.config.grid == find("mini").grid
    assert model.config.max_frames == find("mini").max_frames


def test_memory_counts_the_type():
    small, large = (memory_needed(10**9, dtype) for dtype in (torch.bfloat16, torch.float32))
    assert large - small == 2 * 10**9


def test_four_bits_take_less_and_are_counted_so(monkeypatch):
    monkeypatch.setattr(machine, "free_memory", lambda device: 8 * 2**30)
    assert too_big(8 * 10**9, CPU, torch.bfloat16)
    assert too_big(8 * 10**9, CPU, torch.bfloat16, four_bit=True) is None


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
    monkeypatch.setattr(machine, "cached_snapshot", lambda *_: "somewhere")
    assert why_not(ONEVISION) is None


def test_the_embedded_model_needs_its_files_alone(lone, monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "shipped", lambda: tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert "missing" in why_not(find("mini"))
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert why_not(find("mini")) is None
