"""Which drawings the tower is not taught, and how they take their place in a scene."""

from dataclasses import replace

import pytest
import torch

from scissor.scenes.dice import Dice
from scissor.scenes.library import Library, Picture, Word
from scissor.scenes.scene import Actor
from scissor.training import shots
from scissor.training.album import Album

HANDS = {
    "boat": ["noto", "noto", "stamps", "mdi", "twemoji"],
    "cat": ["stamps", "mdi", "scratch", "lucide"],
    "dog": ["noto", "mdi", "stamps"],
}


@pytest.fixture
def drawings():
    """An album without pixels: five boats by four hands, four cats by four, three dogs by three."""
    pictures = tuple(
        Picture(name, f"{name}{i}", hand, (128, 64 + 16 * i), 0.5, (0, 0, 0))
        for name, hands in HANDS.items()
        for i, hand in enumerate(hands)
    )
    words = {name: Word(name, (), "", "a", False, True, False) for name in HANDS}
    library = Library(None, pictures, (), words, (), {})
    return Album(library, torch.zeros(0), torch.zeros(0), (), ())


def test_of_a_name_all_that_one_hand_drew_is_spared_if_enough_others_drew_it(drawings):
    hands = [picture.family for picture in drawings.library.pictures]
    assert set(drawings.spared) == {"boat"}  # not of every name
    assert hands[drawings.spared["boat"][0]] in ("noto", "twemoji")  # emoji go first
    for name, spared in drawings.spared.items():
        drawn = drawings.library.by_name[name]
        assert spared == [i for i in drawn if hands[i] == hands[spared[0]]]
    spared = [i for pictures in drawings.spared.values() for i in pictures]
    assert sorted([*spared, *drawings.taught]) == list(range(len(hands)))
    unsparing = replace(drawings, sparing=False)
    assert unsparing.spared == {}
    assert unsparing.taught == list(range(len(hands)))


def test_most_actors_of_such_a_name_are_new_to_the_tower_and_stay_in_their_box(drawings):
    pictures, new = drawings.library.pictures, 0
    actor = Actor(2, "boat", (0.4, 0.2), (0.5, 0.5), (0.5, 0.5), "still")
    for k in range(400):
        shown = shots._recast(Dice(k), drawings, actor)
        assert shown.picture in [2, *drawings.spared["boat"]]
        if shown.picture != 2:
            new += 1
            wide, high = pictures[shown.picture].size
            assert shown.size[0] / shown.size[1] == pytest.approx(wide / high)
            assert all(a <= b + 1e-9 for a, b in zip(shown.size, actor.size, strict=True))
    assert 200 < new < 280
    dog = Actor(9, "dog", (0.4, 0.2), (0.5, 0.5), (0.5, 0.5), "still")
    assert shots._recast(Dice(1), drawings, dog) is dog
