"""Words for groups: only near, clear and for things; none for a model that cannot be asked."""

import orjson
import pytest
import torch

from scissor.models import catalog, load_model
from scissor.types import Encoded
from scissor.ui.examples import CLIPS
from scissor.ui.guess import Words, guesses, vocabulary, words_of
from scissor.ui.redraw import Dial, compress_at, redraw
from scissor.ui.store import encode
from scissor.video import read_video

WORDS = Words(("boat", "dog", "ship"), torch.nn.functional.normalize(torch.eye(3, 8) + 0.001))


def test_a_word_must_be_near_clear_and_the_token_long():
    boat, dog, ship, other = torch.eye(4, 8)
    cases = {
        "near": (6 * boat, "boat"),
        "far": (6 * (0.2 * dog + other), None),
        "between two": (6 * (boat + ship), None),
        "near enough": (6 * (1.2 * dog + other), "dog"),
        "short": (2 * boat, None),
        "zero": (0 * boat, None),
    }
    found = WORDS.nearest(torch.stack([token for token, _ in cases.values()]))
    assert dict(zip(cases, found, strict=True)) == {k: word for k, (_, word) in cases.items()}


def test_only_large_groups_are_named():
    tokens = torch.zeros(2, 8, 8)
    tokens[:, :4, 0] = 6  # four patches of a boat in two frames
    tokens[0, 5:7, 1] = 6  # a dog of two
    ids = torch.full((2, 8), 2)
    ids[:, :4], ids[0, 5:7] = 0, 1
    clip = Encoded(tokens, (2, 4), torch.zeros(2).numpy(), "mini", "key")
    size = torch.bincount(ids.flatten())
    assert guesses(clip, WORDS, ids, size) == {0: "boat"}
    assert guesses(clip, None, ids, size) == {}
    assert guesses(clip, WORDS, torch.arange(16).view(2, 8), torch.ones(16)) == {}


def test_a_model_without_words_is_not_asked(desk, clip):
    shown = encode(desk.shelf.model, read_video(clip, frames=2))
    assert words_of(desk.shelf.model) is None
    dial = Dial("retention", 0.3)
    assert redraw(shown, dial, compress_at(shown, dial))["guesses"] == {}


@pytest.mark.skipif(catalog.why_not(catalog.find("mini")) is not None, reason="mini is not here")
def test_mini_names_butterfly_and_balloon_and_nothing_of_the_rabbits_meadow():
    model = load_model("mini")
    assert "butterfly" in vocabulary()
    found = {}
    for name in ("scene_mountains", "big_buck_bunny"):
        shown = encode(model, read_video(CLIPS / f"{name}.mp4", frames=4))
        dial = Dial("retention", 0.1)
        drawn = redraw(shown, dial, compress_at(shown, dial))
        assert orjson.dumps(drawn)  # as Gradio sends it: stricter than json
        found[name] = set(drawn["guesses"].values())
    assert found["scene_mountains"] == {"butterfly", "balloon"}
    assert found["big_buck_bunny"] == set()
