"""Which model a fresh page offers."""

import torch
import yaml

from scissor.models import catalog
from scissor.space import ROOT, read_space
from scissor.ui import page
from scissor.ui.default import default_model, opening_note
from scissor.ui.opening import Opening


def given(monkeypatch, device, reason=None):
    monkeypatch.setattr("scissor.models.machine.pick_device", lambda: torch.device(device))
    monkeypatch.setattr(catalog, "why_not", lambda entry: reason)


def test_the_spacefile_wishes_for_the_papers_family():
    assert read_space().default_model == "llava-onevision-0.5b"


def test_a_gpu_with_hub_and_memory_gets_the_wish(monkeypatch):
    given(monkeypatch, "cuda")
    assert default_model() == "llava-onevision-0.5b"
    assert "LLaVA-OneVision 0.5B" in opening_note(default_model())


def test_without_a_gpu_or_without_the_weights_mini_answers(monkeypatch):
    given(monkeypatch, "cpu")
    assert default_model() == "mini"
    given(monkeypatch, "cuda", "It is not downloaded yet, and the hub cannot be reached.")
    assert default_model() == "mini"
    assert opening_note("mini") == ""


def test_a_missing_or_odd_spacefile_means_mini(monkeypatch, tmp_path):
    given(monkeypatch, "cuda")
    assert default_model(tmp_path) == "mini"
    found = yaml.safe_load((ROOT / "Spacefile").read_text(encoding="utf-8"))
    for wish in ("mini", "no such model"):
        (tmp_path / "Spacefile").write_text(yaml.safe_dump(found | {"default_model": wish}))
        assert default_model(tmp_path) == "mini"


def test_the_page_offers_it_and_says_who_answered_the_opening(desk, monkeypatch):
    monkeypatch.setattr(page, "default_model", lambda: "llava-onevision-0.5b")
    parts = page.build(desk, Opening()).config["components"]
    menu = next(part for part in parts if part["props"].get("label") == "Model")
    assert menu["props"]["value"] == "llava-onevision-0.5b"
    status = next(part for part in parts if part["props"].get("elem_id") == "sc-status")
    assert "mini, which comes along" in status["props"]["value"]["text"]
