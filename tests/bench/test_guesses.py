"""A word is right that names the thing whose box holds half of the group."""

import pytest
import torch
from bench.test_accuracy import Stand

from scissor.bench.guesses import Told, count, main, thing_at
from scissor.models import catalog, load_model
from scissor.models.contract import ModelError
from scissor.scenes import exam_library
from scissor.scenes.exam import exam, make_clip
from scissor.scenes.scene import Actor, Scene

GRID = (4, 8)
BOAT = Actor(0, "boat", (0.5, 1.0), (0.25, 0.5), (0.25, 0.5), "still")  # the left half
DOG = Actor(1, "dog", (0.5, 1.0), (0.75, 0.5), (0.75, 0.5), "still", leave=0.5)  # the right one


def group(*cells):
    """[2, 32] bool: the given (frame, row, column)."""
    found = torch.zeros(2, *GRID, dtype=torch.bool)
    for at in cells:
        found[at] = True
    return found.flatten(1)


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ([(0, 0, 0), (1, 3, 3)], "boat"),
        ([(0, 0, 4), (0, 3, 7)], "dog"),
        ([(1, 0, 4), (1, 3, 7)], None),  # it has left
        ([(0, 0, 4), (1, 0, 4)], "dog"),  # in half of its cells
        ([(0, 0, 4), (1, 0, 4), (1, 0, 5)], None),  # in a third
        ([(0, 0, 0), (0, 0, 1), (0, 0, 7)], "boat"),
    ],
)
def test_a_group_shows_the_thing_whose_box_holds_half_of_it(cells, name):
    assert thing_at(Scene((BOAT, DOG)), group(*cells), GRID) == name


def test_what_is_told_counts_right_words_and_names_the_wrong_ones():
    told = Told(1200, (("boat", "boat"), ("ship", "boat"), ("dog", None)))
    assert str(told) == (
        "3 of 1,200 groups get a word, 1 of them right; wrong: ship (boat), dog (no thing)"
    )
    assert str(Told(7, ())) == "0 of 7 groups get a word, 0 of them right"


def test_a_model_without_words_is_refused():
    library = exam_library()
    with pytest.raises(ModelError, match="no words"):
        count(Stand(lambda *_: ""), exam(1, library), library, 0.1, 2)


@pytest.mark.skipif(catalog.why_not(catalog.find("mini")) is not None, reason="mini is not here")
def test_most_words_on_made_clips_are_right(capsys):
    library = exam_library()
    clips = [make_clip(index, library) for index in (5, 6)]  # clips that get some
    told = count(load_model("mini"), clips, library, 0.1, 4)
    assert told.groups == 2 * 12
    assert sum(word == name for word, name in told.words) > 0.5 * len(told.words) > 0
    assert main(["--limit", "1", "--frames", "4"]) == 0
    assert capsys.readouterr().out.startswith("1 clips of 4 frames, 10% of the tokens: ")
