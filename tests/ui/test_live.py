"""What the Live tab's script and events get back."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from scissor.ui.live import Live
from scissor.ui.store import picture
from scissor.ui.streams import Streams

REQUEST = SimpleNamespace(session_hash="visitor")


def frame(k):
    shade = np.random.default_rng(k).integers(0, 255, (6, 6, 3), np.uint8)
    return picture(shade.repeat(8, 0).repeat(8, 1))


@pytest.fixture
def live(desk):
    return Live(desk, Streams(limit=3))


def filmed(live, count=3, tau=0.9):
    handle = None
    for k in range(count):
        drawn = live.frame({"handle": handle, "tau": tau, "jpeg": frame(k)})
        handle = drawn["handle"]
    return drawn


def test_frames_come_in_and_counts_move(live):
    drawn = filmed(live, 3)
    assert drawn["seen"] == [3, 3 * 36]
    assert drawn["frames"] == 3
    assert 1 <= drawn["kept"] <= drawn["held"] <= 3 * 36
    assert filmed(live, 3, tau=-1.0)["kept"] == 1


def test_two_visitors_never_see_each_others_frames(live):
    one, other = filmed(live, 2), filmed(live, 3)
    assert one["handle"] != other["handle"]
    assert [
        live.streams.get(d["handle"]).read("mini")[0].tokens.shape[0] for d in (one, other)
    ] == [
        2,
        3,
    ]


@pytest.mark.parametrize("data", [None, [], "x", {}, {"jpeg": "data:image/png;base64,AAAA"}])
def test_what_is_no_frame_gets_a_sentence_and_no_stream(live, data):
    assert live.frame(data)["error"].endswith(".")
    assert len(live.streams) == 0


def test_a_forgotten_stream_says_so(live):
    handle = filmed(live)["handle"]
    live.end({"handle": handle})
    assert live.frame({"handle": handle, "jpeg": frame(1)}) == {"gone": True}
    live.end(None)


def test_too_many_streams_get_a_sentence(live):
    for _ in range(3):
        filmed(live, 1)
    assert "Too many" in live.frame({"jpeg": frame(0)})["error"]


def test_a_second_frame_in_flight_and_a_taken_model_drop_the_frame(live, monkeypatch):
    handle = filmed(live)["handle"]
    data = {"handle": handle, "tau": 0.9, "jpeg": frame(5)}
    stream = live.streams.get(handle)
    with stream.lock:
        assert live.frame(data) == {"busy": True}
    monkeypatch.setattr("scissor.ui.live.PATIENCE", 0.01)
    with live.desk.shelf.lock:
        assert live.frame(data) == {"handle": handle, "busy": True}
    assert live.frame(data)["seen"][0] == 4


def test_an_unexpected_error_shows_no_trace_of_the_server(live, monkeypatch):
    def broken(*_):
        raise RuntimeError("/srv/secret went wrong")

    monkeypatch.setattr(live.desk.shelf.model, "encode", broken)
    assert "secret" not in live.frame({"jpeg": frame(0)})["error"]
    assert not live.desk.shelf.lock.locked()


def test_ask_answers_from_what_was_seen(live):
    drawn = filmed(live, 20)
    value = {"handle": drawn["handle"], "question": "  What  was that? "}
    first, *_, final = live.ask(value, REQUEST)
    assert first["running"] is True
    assert final["running"] is False
    cards = final["cards"]
    assert cards["question"] == "What was that?"
    assert "".join(words for words, _ in cards["all"]["text"]).split()[3] == "576"
    assert cards["kept"]["tokens"] == drawn["kept"]
    assert cards["past"] == drawn["past"]
    assert cards["all"]["state"] == cards["kept"]["state"] == "done"
    assert not live.desk.shelf.lock.locked()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "Start the camera"),
        ({"handle": "guess", "question": "x?"}, "Start the camera"),
        ({"question": "x?"}, "Start the camera"),
    ],
)
def test_ask_without_a_stream_says_what_to_do(live, value, why):
    *_, final = live.ask(value, REQUEST)
    assert why in final["error"]
    assert final["running"] is False


@pytest.mark.parametrize("question", [None, "", "  ", 7, "x" * 501])
def test_ask_without_a_question_says_so(live, question):
    *_, final = live.ask({"handle": filmed(live)["handle"], "question": question}, REQUEST)
    assert "uestion" in final["error"]


def test_stop_ends_the_answers_of_this_visitor_alone(live):
    value = {"handle": filmed(live)["handle"], "question": "what?"}
    updates = live.ask(value, REQUEST)
    while "text" not in next(updates).get("cards", {}).get("kept", {}):
        pass
    live.hush(SimpleNamespace(session_hash="someone else"))
    assert next(updates)["running"]
    live.hush(REQUEST)
    *_, final = updates
    assert final["cards"]["kept"]["state"] == "stopped"
    assert final["cards"]["all"]["state"] == "waiting"


def test_frames_at_once_from_many_visitors_do_not_mix(live):
    live.streams = Streams(limit=8)
    found = {}

    def visit(k):
        found[k] = filmed(live, k)["seen"][0]

    threads = [threading.Thread(target=visit, args=(k,)) for k in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: k for k in range(1, 7)}
