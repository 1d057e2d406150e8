"""Differing words are marked, nothing is lost, and each side keeps its own numbers."""

from hypothesis import example, given
from hypothesis import strategies as st

from scissor.models import Answer
from scissor.ui.cards import again, board, compared

texts = st.text(st.sampled_from("ab.,A \n\t<>&"), max_size=40)


@given(texts, texts)
@example("", "a b")
@example("a  b ", "a c")
def test_the_pieces_give_the_texts_back(one, other):
    for text, pieces in zip((one, other), compared(one, other), strict=True):
        assert "".join(words for words, _ in pieces) == text


@given(texts)
def test_equal_texts_have_no_marks(text):
    assert not any(differs for side in compared(text, text) for _, differs in side)


def test_only_the_differing_words_are_marked():
    one, other = compared("A grey rabbit, on grass.", "a rabbit on snow")
    assert one == [["A", False], [" grey", True], [" rabbit, on", False], [" grass.", True]]
    assert other == [["a rabbit on", False], [" snow", True]]


def answer(text, kept, done=True, first=0.5):
    return Answer("mini", text, kept, 100, None, 0.1, first, 1.0, 3, done, False)


def test_marks_wait_until_both_are_done():
    half = board("c", "q", answer("a b", 10), answer("a c", 100, done=False), "m", 1.0)
    assert half["kept"]["text"] == [["a b", False]]
    full = board("c", "q", answer("a b", 10), answer("a c", 100), "m", 1.0)
    assert full["kept"]["text"] == [["a", False], [" b", True]]
    assert full["all"]["text"] == [["a", False], [" c", True]]


def test_the_states_of_a_card():
    assert board("c", "q", None, None, "m", 1.0)["all"] == {"state": "waiting"}
    reading = board("c", "q", answer("", 10, done=False, first=None), None, "m", 1.0)
    assert reading["kept"]["state"] == "reading"
    running = board("c", "q", answer("a", 10, done=False), None, "m", 1.0)
    assert running["kept"]["state"] == "running"


def test_asking_again_changes_the_kept_side_alone():
    before = board("c", "q", answer("a b", 10), answer("a c", 100, first=2.0), "old", 1.0)
    after = again(before, answer("a c", 5), "new")
    assert after["kept"]["mark"] == "new"
    assert after["kept"]["tokens"] == 5
    assert after["all"]["first"] == 2.0
    assert after["all"]["text"] == [["a c", False]]
    assert before["kept"]["tokens"] == 10
