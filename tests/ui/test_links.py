"""Links: what they say is read, what they say wrongly is told and left out."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scissor.ui.examples import Example, examples
from scissor.ui.links import example_at, name_of, read_link
from scissor.ui.redraw import Dial


@pytest.fixture
def known(clip, monkeypatch):
    monkeypatch.setattr("scissor.ui.desk.catalog.why_not", lambda entry: None)
    return [Example(clip, "A clip", "ours")]


def test_a_whole_link_is_read(known):
    query = urlencode(
        {
            "example": name_of(known[0]),
            "frames": 7,
            "model": "mini",
            "question": "  Is it\n red? ",
            "retention": 0.2,
            "__theme": "dark",
        }
    )
    wish = read_link("?" + query, known)
    assert wish.example is known[0]
    assert (wish.frames, wish.model, wish.question) == (7, "mini", "Is it red?")
    assert wish.dial == Dial("retention", 0.2)
    assert wish.ignored == ()
    assert read_link("tau=-0.5", known).dial == Dial("tau", -0.5)


@pytest.mark.parametrize(
    "query",
    [
        "example=nothing",
        "example=../../etc/passwd",
        "frames=0",
        "frames=33",
        "frames=1e3",
        "frames=²",
        "frames=" + "9" * 3000,
        "model=someone/else",
        "question=" + "x" * 501,
        "tau=1.01",
        "tau=nan",
        "tau=inf",
        "retention=0",
        "retention=-1",
        "retention=ten",
    ],
)
def test_a_bad_value_is_left_out_with_a_sentence(known, query):
    wish = read_link(query, known)
    assert [wish.example, wish.frames, wish.model, wish.question, wish.dial] == [None] * 5
    (sentence,) = wish.ignored
    assert query.split("=")[0] in sentence
    assert sentence.endswith(".")


def test_of_two_dials_the_threshold_leads(known):
    wish = read_link("tau=0.5&retention=0.5", known)
    assert wish.dial == Dial("tau", 0.5)
    assert len(wish.ignored) == 1


@given(st.none() | st.text() | st.integers() | st.lists(st.text()))
def test_anything_can_be_read(query):
    assert read_link(query, examples()).example is None


def test_an_example_is_known_by_its_content(known, tmp_path, clip):
    copy = tmp_path / clip.name
    copy.write_bytes(clip.read_bytes())
    assert example_at(str(copy), known) == name_of(known[0])
    copy.write_bytes(b"another film")
    assert example_at(str(copy), known) is None
    assert example_at(None, known) is None
    assert example_at("/nowhere/other.mp4", known) is None
