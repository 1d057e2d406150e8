"""The list is fixed, and an answer is judged by what it calls a thing."""

import hashlib

import numpy as np
import pytest
from bench.test_accuracy import Stand
from PIL import Image

from scissor.bench import natural
from scissor.bench.measure import Condition
from scissor.bench.natural import THINGS, WITH_PEOPLE, count, look, markdown, named

# Files and accepted words, chosen before the training that they judge.
LIST = "5df12265ce383fd3f2c4ce1d332a6504e09d36748b6b35e6464db90ba1e57eab"

BY_FILE = {thing.file.rpartition("/")[2]: thing for thing in (*THINGS, *WITH_PEOPLE)}


def test_the_list_is_pinned():
    assert (len(THINGS), len(WITH_PEOPLE), len(BY_FILE)) == (12, 3, 15)
    told = repr([(t.package, t.file, t.words) for t in (*THINGS, *WITH_PEOPLE)])
    assert hashlib.sha256(told.encode()).hexdigest() == LIST


@pytest.mark.parametrize("thing", [*THINGS, *WITH_PEOPLE], ids=lambda thing: thing.shows)
def test_every_accepted_word_is_found_and_vague_answers_are_not(thing):
    for word in thing.words.split(", "):
        assert named(thing, f"a {word}")
        assert named(thing, f"A table, a small {word.title()} and the sky.")
    for vague in ("", "an outdoor scene; I can't tell the objects", "a video", "an animal", "food"):
        assert not named(thing, vague)


@pytest.mark.parametrize(
    ("file", "answer", "right"),
    [
        ("orange.jpg", "an orange hat", False),
        ("orange.jpg", "oranges on a table", True),
        ("lion.jpg", "sea lions", False),
        ("chicky_512.png", "a hot dog", False),
        ("lion.jpg", "a dandelion", False),
        ("bikes.mp4", "a bicycle and two men", True),
        ("bikes.mp4", "a snowman", False),
        ("butterfly.jpg", "some butterflies", True),
        ("chicky_512.png", "a Tibetan terrier", True),
        ("pexels_double_decker_bus.jpg", "a school bus", True),
    ],
)
def test_a_thing_is_what_an_item_ends_with(file, answer, right):
    assert named(BY_FILE[file], answer) is right


def test_a_file_is_shown_and_the_table_tells_what_was_said(tmp_path):
    thing = natural.Thing("box", "lion.png", "a lion", "lion")
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "lion.png")
    model = Stand(lambda index, question, kept: "a cat | a hat" if kept else "a lion")
    model.encode_named = model.encode
    model.encode = lambda video: model.encode_named(renamed(video))
    conditions = [Condition("all", 1.0), Condition("random", 0.25)]
    told = [look(model, thing, {"box": tmp_path}, conditions, 16)]
    assert told[0].right == (True, False)
    assert count(told, conditions) == "all: 1 of 1; random 25%: 0 of 1"
    last = markdown(told, conditions).splitlines()[-1]
    assert last == "| lion.png (box) | a lion | ✓ a lion | a cat / a hat |"


def renamed(video):
    """The stand-in reads its clip's number from the name."""
    return type(video)(video.frames, video.times, video.duration, "clip 0", video.key)
