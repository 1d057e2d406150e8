"""The menu marks what runs here, says why not, and takes other models only at home."""

from html import escape

import pytest

from scissor.models import catalog
from scissor.ui.menu import local_models, model_choices, model_list


@pytest.fixture
def why():
    found = {entry.name: None for entry in catalog.ENTRIES}
    return found | {"qwen3-vl-8b": "It needs about 17 GB & this machine has <8>."}


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    for name in ("SPACE_ID", "SCISSOR_LOCAL_MODELS", "GRADIO_SERVER_NAME", "GRADIO_SHARE"):
        monkeypatch.delenv(name, raising=False)


def test_models_that_cannot_answer_stand_last_and_are_marked(why):
    choices, note = model_choices(why)
    assert [name for _, name in choices][-1] == "qwen3-vl-8b"
    assert [line for line, _ in choices if "not here" in line] == ["Qwen3-VL 8B · not here"]
    assert note.startswith(f"{len(choices) - 1} of {len(choices)} can answer here")
    assert "All of them" in model_choices(dict.fromkeys(why))[1]


def test_the_list_says_everything_of_every_model(why):
    html = model_list(why)
    for entry in catalog.ENTRIES:
        item = next(part for part in html.split("<li") if f"<b>{entry.title}</b>" in part)
        assert escape(entry.licence) in item
        assert entry.hardware in item
        assert f"{entry.tokens_per_frame:.0f} tokens a frame" in item
        assert f"checked on {entry.checked} ({entry.checked_on})" in item
        assert "GB in bf16" in item
        assert (f"{entry.repository} at {entry.revision}" if entry.repository else "along") in item
        assert ("runs here" in item) == (why[entry.name] is None)
    assert "17 GB &amp; this machine has &lt;8&gt;." in html


def test_other_models_are_taken_at_home_alone(monkeypatch):
    assert local_models()
    assert "a folder" in model_choices()[1]
    for host in ("localhost", "::1", "127.0.0.1"):
        monkeypatch.setenv("GRADIO_SERVER_NAME", host)
        assert local_models()
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert not local_models()
    monkeypatch.setenv("SCISSOR_LOCAL_MODELS", "1")
    assert local_models()
    monkeypatch.setenv("SPACE_ID", "someone/scissor")
    assert not local_models()
    assert "a folder" not in model_choices()[1]
    monkeypatch.delenv("SPACE_ID")
    monkeypatch.setenv("SCISSOR_LOCAL_MODELS", "0")
    monkeypatch.setenv("GRADIO_SERVER_NAME", "localhost")
    assert not local_models()


def test_a_shared_page_takes_no_other_models(monkeypatch):
    monkeypatch.setenv("GRADIO_SHARE", "True")
    assert not local_models()
