"""Further pictures show what they are called, and the evaluation never hears of them."""

import numpy as np
import pytest
from PIL import Image

from scissor.training import more
from scissor.training.fetch import DEBIAN, ICONS, NPM, PAGES
from scissor.training.pictures import FAMILY, read_backgrounds, read_names
from scissor.training.sources import EMOJI, LICENCE, PACKAGES

OTHER = ("names", "shown", "turned")
WORDS = {"dog", "hot dog", "fire", "fire truck", "sailboat", "airplane", "cat", "chicken", "apple"}


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("animals/dog_01_by_someone", "dog"),
        ("Animals/dog2-b", "dog"),
        ("food/hot_dog_juliane_krug_r", "hot dog"),
        ("transportation/fire_engine_mimooh_01", "fire truck"),
        ("Transportation/sail-boat", "sailboat"),
        ("animals/hen_01", "chicken"),
        ("food/hot_dog_bw", None),
        ("food/apple_juice_box", None),
        ("signs_and_symbols/flags/dog", None),
        ("animals/unknown", None),
    ],
)
def test_a_file_is_called_by_its_first_words(place, name):
    assert more.shown(place, WORDS, frozenset({"bw", "juice"})) == name


def test_paper_goes_and_white_inside_stays():
    page = Image.new("RGB", (60, 60), "white")
    page.paste((200, 30, 30), (15, 15, 45, 45))
    page.paste((255, 255, 255), (25, 25, 35, 35))
    alpha = np.asarray(more.without_paper(page))[..., 3]
    assert not alpha[0].any()
    assert not alpha[:, 0].any()
    assert alpha[15:45, 15:45].all()


def test_the_training_s_own_names_are_no_names_of_the_evaluation():
    words = read_names()
    known = {name.name for name in words.names}
    wide = more.widen(words)
    own = {name.name for name in wide.names} - known
    assert own == {name.name for name in more.names()} == {"people", "child", "face"}
    assert any(own | {"man", "woman", "baby"} <= group for group in wide.groups)
    assert all(wide.shown[place] >= things for place, things in words.shown.items())
    assert {row[1] for row in read_backgrounds() if row[0] == "scenes"} >= set(wide.shown)


def test_every_further_source_has_a_licence_and_no_family_of_the_evaluation():
    sources = {*more.SHELVES, *ICONS}
    assert sources <= set(LICENCE)
    assert not sources & (set(EMOJI) | set(FAMILY) | set(NPM))
    assert {shelf.package for shelf in more.SHELVES.values()} <= {*DEBIAN, *PAGES}


def test_a_listed_name_is_known():
    known = {name.name for name in more.widen(read_names()).names} | {"-"}
    listed = {line.partition(":")[0] for head, line in more._rows() if head not in OTHER}
    assert listed <= known


def test_no_further_background_may_ship():
    further = set(DEBIAN[DEBIAN.index("openclipart-png") :]) | set(PAGES)
    rows = [row for row in read_backgrounds() if row[2] in further]
    assert len(rows) > 250
    assert not any(PACKAGES[row[2]][2] for row in rows)
