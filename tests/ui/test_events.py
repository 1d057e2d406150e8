"""What Gradio's events hand back: sentences for errors, one dial that keeps leading."""

from types import SimpleNamespace

import gradio as gr
import pytest

from scissor.ui.compare_tab import CompareEvents
from scissor.ui.events import Events
from scissor.ui.examples import examples

REQUEST = SimpleNamespace(session_hash="visitor")


@pytest.fixture
def events(desk):
    return Events(desk, examples())


def final(updates):
    *_, last = updates
    return last


def repeated(updates, once=()):
    """Whether what an update told, all later ones tell too: a browser may see only the last."""
    columns = [c for place, c in enumerate(zip(*updates, strict=True)) if place not in once]
    told = [[value != gr.skip() for value in column] for column in columns]
    return all(flags == sorted(flags) for flags in told) and any(map(any, told))


def opened(events, clip, dials=None, frames=4):
    value, status, *_ = final(events.open(str(clip), "mini", frames, dials))
    assert status == {"text": "", "kind": ""}
    return value


def test_opening_a_clip_keeps_the_dial_that_leads(events, clip):
    value = opened(events, clip, {"handle": None, "lead": "tau", "value": 0.8})
    assert (value["lead"], value["value"]) == ("tau", 0.8)
    other = opened(events, clip, value, frames=3)
    assert (other["lead"], other["value"]) == ("tau", 0.8)
    assert other["handle"] != value["handle"]
    assert opened(events, clip, other, frames=3)["handle"] == other["handle"]


def test_the_first_thing_said_is_that_work_goes_on(events, clip):
    _, status, *_ = next(iter(events.open(str(clip), "mini", 4, None)))
    assert status == {"text": "Reading and encoding 4 frames …", "kind": "busy"}


def test_a_move_tells_what_the_canvas_needs(events, clip):
    handle = opened(events, clip)["handle"]
    few = events.move({"handle": handle, "lead": "retention", "value": 0.1})
    many = events.move({"handle": handle, "lead": "retention", "value": 0.9})
    assert few["counts"][2] < many["counts"][2]
    assert few["mark"] != many["mark"]
    assert few["clip"] == many["clip"]


@pytest.mark.parametrize("data", [None, {}, [], {"handle": "guess"}, {"handle": None}, "x"])
def test_whoever_has_no_handle_gets_nothing(events, clip, data):
    opened(events, clip)
    assert events.move(data) == {"gone": True}
    assert events.scene(data) == {"gone": True}


def test_bad_files_get_a_sentence_and_the_page_goes_on(events, clip, tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("this is not a video " * 50)
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:900])
    for bad in (text, empty, cut, tmp_path / "missing.mp4"):
        _, status, *_ = final(events.open(str(bad), "mini", 4, None))
        assert status["kind"] == "bad"
        assert status["text"].endswith(".")
        assert str(tmp_path) not in status["text"]
        *_, status, run, stop = final(events.run(str(bad), "what?", "mini", 4, None, REQUEST))
        assert status["kind"] == "bad"
        assert (run["visible"], stop["visible"]) == (True, False)
    assert opened(events, clip)["handle"]


def test_an_unexpected_error_shows_no_trace_of_the_server(events, clip, monkeypatch):
    def broken(*_):
        raise RuntimeError("/srv/secret went wrong")

    monkeypatch.setattr(events.desk.shelf.model, "encode", broken)
    _, status, *_ = final(events.open(str(clip), "mini", 4, None))
    assert "secret" not in status["text"]
    handle = events.desk.store.hand_out("k", SimpleNamespace(size=1))
    assert "error" in events.move({"handle": handle})


def test_run_opens_what_is_chosen_now_whatever_the_dials_stood_on(events, clip):
    old = opened(events, clip, frames=3)
    updates = list(events.run(str(clip), "how many?", "mini", 4, old, REQUEST))
    values = [
        update[1] for update in updates if isinstance(update[1], dict) and "handle" in update[1]
    ]
    assert values[0]["handle"] != old["handle"]
    cards = [u[0] for u in updates if isinstance(u[0], dict) and "question" in u[0]]
    assert cards[-1]["all"]["tokens"] == 4 * 36
    assert updates[0][3]["visible"] is False
    assert updates[-1][3]["visible"] is True


def test_an_update_that_the_browser_passes_over_is_not_lost(events, clip, monkeypatch):
    dials = opened(events, clip)
    dials_column = 1  # said once: a visitor may turn them while the answers grow
    run = list(events.run(str(clip), "how many?", "mini", 4, dials, REQUEST))
    assert repeated(run, once=[dials_column])
    assert repeated(list(events.again(dials, run[-1][0], REQUEST)), once=[dials_column])
    tab = CompareEvents(events.desk)
    assert repeated(list(tab.compare(dials, "what?", ["scc", "random"], 50, REQUEST)))
    assert repeated(list(tab.chart(dials, "what?", ["scc", "random"], REQUEST)))
    assert repeated(list(tab.smallest(dials, "what?", REQUEST)))

    def broken(*_, **__):
        yield {"kept": {"state": "running"}}
        raise RuntimeError

    monkeypatch.setattr(events.desk, "answers", broken)
    failed = list(events.run(str(clip), "how many?", "mini", 4, dials, REQUEST))
    assert repeated(failed, once=[dials_column])
    assert failed[-1][2]["kind"] == "bad"


def test_run_without_a_clip_asks_for_one(events):
    *_, status, _, _ = final(events.run(None, "what?", "mini", 4, None, REQUEST))
    assert status["text"].startswith("Choose a clip")


def test_ask_again_needs_a_clip_that_is_still_there(events):
    *_, status, _, _ = final(events.again({"handle": "gone"}, {}, REQUEST))
    assert "Press Run" in status["text"]


@pytest.mark.parametrize("tab", ["overlay", "graph", "tokens"])
def test_only_the_tab_in_sight_is_drawn(events, clip, tab):
    dials = opened(events, clip)
    drawn = [hasattr(x, "data") for x in events.figures(tab, dials, {}, "force", False)]
    assert (
        drawn
        == {
            "overlay": [False] * 6,
            "graph": [False, True] + [False] * 4,
            "tokens": [False, False] + [True] * 4,
        }[tab]
    )


@pytest.mark.parametrize("look", [None, {}, {"view": "x", "frame": 99, "hub": "y"}, {"frame": -3}])
def test_a_strange_look_is_drawn_as_the_default(events, clip, look):
    line, figure, *_ = events.figures("graph", opened(events, clip), look, "grid", True)
    assert "nodes" in line
    assert figure.data


def test_every_example_is_there_and_says_whose_it_is(events):
    assert len(events.examples) >= 2
    for k, example in enumerate(events.examples):
        path, question = events.pick(SimpleNamespace(index=k))
        assert path == str(example.path)
        assert question.endswith("?")
        assert example.credit
        assert example.thumbnail.startswith("data:image/jpeg")
