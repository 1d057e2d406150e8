"""The whole path page -> adapter -> answer, with random weights that are called so."""

from types import SimpleNamespace

import numpy as np
import pytest
from family_cases import CASES
from randomly import save_random
from tiny_tokenizer import build_tokenizer

from scissor.models import load_model
from scissor.ui.desk import Desk
from scissor.ui.events import Events
from scissor.ui.redraw import Dial
from scissor.video import read_video

REQUEST = SimpleNamespace(session_hash="me")
QUESTION = "What is it?"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    tokenizer = build_tokenizer()
    room = tmp_path_factory.mktemp("models")

    def made(name):
        return save_random(CASES[name].build(tokenizer), tokenizer, room / f"tiny-{name}")

    return {name: made(name) for name in ("llava_onevision", "llava_next_video", "qwen3_vl")}


@pytest.fixture
def events(monkeypatch):
    for name in ("SPACE_ID", "GRADIO_SERVER_NAME", "GRADIO_SHARE"):
        monkeypatch.delenv(name, raising=False)
    return Events(Desk(), [])


def last(steps):
    *_, end = steps
    return end


def test_a_folder_named_in_the_page_answers_and_is_called_random(events, folders, clip):
    folder = folders["llava_onevision"]
    steps = list(events.open(str(clip), str(folder), 4, None, REQUEST))
    told = [status["text"] for _, status, *_ in steps]
    assert any(line.startswith("Loading the weights … 60%") for line in told)
    dials, status, run, stop = steps[-1]
    assert status == {
        "text": "tiny-llava_onevision (random weights): made for tests, its answers mean nothing.",
        "kind": "bad",
    }
    assert (run["visible"], stop["visible"]) == (True, False)

    seen = list(events.run(str(clip), QUESTION, str(folder), 4, dials, REQUEST))
    cards = [step[0] for step in seen if isinstance(step[0], dict) and "question" in step[0]][-1]
    assert seen[-1][2]["text"] == status["text"]
    model = load_model(str(folder), device="cpu")
    assert model.name == "tiny-llava_onevision (random weights)"
    encoded = model.encode(read_video(clip, frames=4))
    shown = events.desk.store.get(dials["handle"])
    assert np.array_equal(shown.encoded.tokens, encoded.tokens)
    kept = events.desk.compression(shown, Dial.read(dials))
    for side, which in (("all", None), ("kept", kept)):
        card = cards[side]
        assert card["model"] == model.name
        want = "".join(model.answer(encoded, which, QUESTION, max_new_tokens=64))
        assert "".join(words for words, _ in card["text"]) == want
    assert cards["all"]["tokens"] == 4 * 9
    assert str(folder.parent) not in repr(cards) + repr(told)


def test_where_nothing_is_loaded_the_buttons_are_let_be(events, folders, clip):
    """Run may be under way beside it: its Stop must neither vanish nor be taken over."""
    folder = str(folders["llava_onevision"])
    last(events.open(str(clip), folder, 3, None, REQUEST))
    running = events.desk.begin(REQUEST.session_hash)
    for _, _, run, stop in events.open(str(clip), folder, 4, None, REQUEST):
        assert "visible" not in run
        assert "visible" not in stop
    events.stop(REQUEST)
    assert running()


def test_on_a_space_no_folder_is_ever_loaded(events, folders, clip, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/scissor")
    folder = str(folders["llava_onevision"])
    _, status, *_ = last(events.open(str(clip), folder, 4, None, REQUEST))
    assert "There is no model of that name" in status["text"]
    assert events.desk.store.find(f"{clip}/4/{folder}") is None


def test_stopping_a_load_is_a_sentence_and_the_next_one_works(events, folders, clip):
    folder = str(folders["llava_onevision"])
    steps = events.open(str(clip), folder, 4, None, REQUEST)
    _, status, run, stop = next(steps)
    assert status["kind"] == "busy"
    assert (run["visible"], stop["visible"]) == (False, True)
    events.stop(REQUEST)
    _, status, run, stop = last(steps)
    assert status["text"].startswith("Loading was stopped.")
    assert (run["visible"], stop["visible"]) == (True, False)
    dials, *_ = last(events.open(str(clip), folder, 4, None, REQUEST))
    assert dials["handle"]


def test_a_repository_without_a_hub_offers_the_embedded_model(events, clip, monkeypatch):
    from scissor.models import machine

    monkeypatch.setattr(machine, "cached_snapshot", lambda *_: None)
    monkeypatch.setattr(machine, "hub_reachable", lambda: False)
    _, status, *_ = last(events.open(str(clip), "someone/something", 4, None, REQUEST))
    assert "cannot be reached" in status["text"]
    assert "the embedded model (mini)" in status["text"]


def test_a_held_clip_needs_no_model(events, folders, clip):
    folder = str(folders["llava_onevision"])
    last(events.open(str(clip), folder, 4, None, REQUEST))
    events.desk.shelf._models.clear()
    steps = list(events.open(str(clip), folder, 4, None, REQUEST))
    assert len(steps) == 2
    assert not events.desk.shelf.holds(folder)


def test_too_many_frames_for_a_model_is_a_sentence(events, folders, clip):
    folder = str(folders["llava_next_video"])
    _, status, *_ = last(events.open(str(clip), folder, 25, None, REQUEST))
    assert "reads at most 24 frames: take fewer." in status["text"]


def test_the_pictures_are_what_the_model_sees(events, folders, clip):
    square = last(events.open(str(clip), str(folders["llava_next_video"]), 3, None, REQUEST))[0]
    shown = events.desk.store.get(square["handle"])
    assert shown.aspect == 1
    assert len(shown.pictures) == len(shown.encoded.tokens) == 3
    paired = last(events.open(str(clip), str(folders["qwen3_vl"]), 5, None, REQUEST))[0]
    shown = events.desk.store.get(paired["handle"])
    assert len(shown.pictures) == len(shown.encoded.tokens) == 3
    assert shown.aspect != 1
