"""Clips behind handles, answers, stopping, and two visitors who never meet."""

import pytest

from scissor.ui.desk import Desk, check_model, checked, last
from scissor.ui.errors import UNEXPECTED, RequestError, sentence
from scissor.ui.redraw import Dial
from scissor.video import VideoError

DIAL = Dial("retention", 0.25)


def test_a_clip_is_encoded_once_and_each_visitor_has_a_handle(desk, clip):
    one, first = desk.open(clip, "mini", 4)
    other, second = desk.open(clip, "mini", 4)
    assert one != other
    assert first is second
    assert desk.shelf.model.encodings == 1
    _, fewer = desk.open(clip, "mini", 3)
    assert fewer is not first
    assert len(fewer.encoded.tokens) == 3


def test_a_stored_clip_holds_nothing_of_its_visitor(desk, clip, tmp_path):
    secret = tmp_path / "my-private-name.mp4"
    secret.write_bytes(clip.read_bytes())
    _, found = desk.open(secret, "mini", 4)
    assert "private" not in repr(vars(found.encoded))
    assert "private" not in repr(found.pictures) + repr(found.thumbnails)


def test_a_clip_that_left_is_encoded_again(desk, clip):
    handle, _ = desk.open(clip, "mini", 4)
    desk.store._clips = type(desk.store._clips)(1, lambda clip: clip.size)
    assert desk.store.get(handle) is None
    desk.open(clip, "mini", 4)
    assert desk.shelf.model.encodings == 2


def test_both_answers_come_the_kept_one_first(desk, clip):
    _, found = desk.open(clip, "mini", 4)
    seen = list(desk.answers(found, DIAL, "  how   many? ", lambda: False))
    kept = desk.compression(found, DIAL).kept
    assert seen[-1]["question"] == "how many?"
    assert seen[-1]["kept"]["tokens"] == kept
    assert seen[-1]["all"]["tokens"] == 4 * 36
    text = "".join(words for words, _ in seen[-1]["kept"]["text"])
    assert text.strip() == f"I was given {kept} tokens in 4 frames"
    assert [words for words, differs in seen[-1]["all"]["text"] if differs] == [" 144"]
    states = [(cards["kept"]["state"], cards["all"]["state"]) for cards in seen]
    assert all(full == "waiting" for kept, full in states if kept != "done")


def test_the_answers_compression_is_the_one_on_the_screen(desk, clip):
    from scissor.ui.desk import compressor

    _, found = desk.open(clip, "mini", 4)
    for dial in (DIAL, Dial("tau", 0.9), Dial("retention", 1.0)):
        made = desk.compression(found, dial)
        timed = compressor(found, made)()
        assert timed.counts == made.counts
        assert (timed.share == made.share).all()


def test_stop_ends_the_running_answer_and_spares_the_other(desk, clip):
    _, found = desk.open(clip, "mini", 4)
    stopped, running = desk.begin("one"), desk.begin("two")
    seen = []
    for cards in desk.answers(found, DIAL, "how many?", stopped):
        seen.append(cards)
        if cards["kept"]["state"] == "running":
            desk.stop("one")
    assert seen[-1]["kept"]["state"] == "stopped"
    assert seen[-1]["all"] == {"state": "waiting"}
    assert stopped()
    assert not running()
    desk.stop("nobody")


def test_ask_again_leaves_the_full_answer_alone(desk, clip):
    _, found = desk.open(clip, "mini", 4)
    before = last(desk.answers(found, DIAL, "how many?", lambda: False))
    after = last(desk.answer_again(found, Dial("retention", 0.1), before, lambda: False))
    assert after["kept"]["tokens"] < before["kept"]["tokens"]
    assert {k: v for k, v in after["all"].items() if k != "text"} == {
        k: v for k, v in before["all"].items() if k != "text"
    }


def test_an_answer_that_is_left_half_way_frees_the_model(desk, clip):
    _, found = desk.open(clip, "mini", 4)
    left = desk.answers(found, DIAL, "how many?", lambda: False)
    next(left)
    assert desk.shelf.lock.locked()
    left.close()
    assert not desk.shelf.lock.locked()


@pytest.mark.parametrize("question", ["", "  \n ", None, 3, "why " * 200])
def test_a_question_that_is_none_gets_a_sentence(question):
    with pytest.raises(RequestError):
        checked(question)


def test_no_clip_gets_a_sentence(desk):
    with pytest.raises(RequestError, match="Choose a clip"):
        desk.open(None, "mini", 4)


def test_only_the_catalogs_models_are_ever_loaded(monkeypatch):
    for name in ("/etc", "someone/else", "", "mini/../x", None):
        with pytest.raises(RequestError, match="no model of that name"):
            check_model(name)
    monkeypatch.setattr("scissor.ui.desk.catalog.why_not", lambda entry: "It is too big.")
    with pytest.raises(RequestError, match=r"cannot answer here\. It is too big\."):
        check_model("llava-onevision-7b")


def test_errors_written_for_visitors_pass_and_others_become_general(caplog):
    assert sentence(VideoError("This is no video; choose another.")).startswith("This is no")
    hidden = sentence(FileNotFoundError("/srv/secret/file"))
    assert hidden == UNEXPECTED
    assert "/srv/secret/file" in caplog.text


def test_desks_share_nothing(clip, desk):
    handle, _ = desk.open(clip, "mini", 4)
    assert Desk().store.get(handle) is None
