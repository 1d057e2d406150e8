"""The tables of names are consistent, and what is held out stays out of the training."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scissor.scenes.library import EXAM, Library
from scissor.training.choice import apart, choose, likeness, split
from scissor.training.pack import build, describe, shrink, write
from scissor.training.pictures import Cutout, Name, Vocabulary, read_backgrounds, read_names, trim

FAMILIES = ("noto", "fluent", "twemoji", "openmoji", "stamps:a", "stamps:b")
SOURCES = {"noto": "noto", "fluent": "fluent-3d", "twemoji": "twemoji", "openmoji": "openmoji"}


def picture(name, family, seed, alpha=255):
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    coarse = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    pixels = np.dstack([np.kron(coarse, np.ones((8, 8, 1), np.uint8)), np.full((40, 40), alpha)])
    image = Image.fromarray(pixels.astype(np.uint8), "RGBA")
    digest = hashlib.sha256(f"{name} {family} {seed}".encode()).hexdigest()
    source = SOURCES.get(family, "stamps")
    return Cutout(name, f"{source}:{name}-{seed}", family, digest, image)


def test_names_txt_agrees_with_the_shipped_index():
    words = read_names()
    index = json.loads((EXAM / "index.json").read_text())
    described = describe(words, set(index["names"]))
    assert described["names"] == index["names"]
    assert described["groups"] == index["groups"]
    assert described["shown"] == index["shown"]


def test_names_are_listed_once():
    names = [name.name for name in read_names().names]
    assert len(names) == len(set(names))


def test_a_group_with_an_unknown_name_is_an_error(tmp_path):
    (tmp_path / "names.txt").write_text("[x]\ndog: dog\n~\ndog unicorn\n~\n~\n")
    with pytest.raises(ValueError, match="unicorn"):
        read_names(tmp_path / "names.txt")


def test_backgrounds_are_listed_once_under_a_heading():
    rows = list(read_backgrounds())
    assert len(rows) > 200
    assert len({row[2:] for row in rows}) == len(rows)
    assert {row[0] for row in rows} == {"scenes", "photographs"}
    assert all(row[1] for row in rows)


drawn = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(FAMILIES), st.integers(0, 3)), max_size=25
)


@given(drawn)
def test_a_held_out_family_never_trains_its_name(rows):
    found = [picture(*row) for row in dict.fromkeys(rows)]
    held, train = split(found)
    out = {p.name: p for p in held}
    assert len(out) == len(held)
    for p in train:
        best = out.get(p.name)
        assert best is None or (p.family != best.family and likeness(p, best) < 0.97)
    for name in {p.name for p in found}:
        drawers = {p.family for p in found if p.name == name and "stamps" not in p.family}
        assert (name in out) == (len(drawers) >= 3)
    again, _ = split(found[::-1])
    assert {p.digest for p in again} == {p.digest for p in held}


@given(drawn, drawn)
def test_what_comes_later_gives_no_held_out_picture_away(rows, later):
    held, _ = split([picture(*row) for row in dict.fromkeys(rows)])
    out = {p.name: p for p in held}
    found = [picture(*row) for row in dict.fromkeys(later)]
    kept = apart(held, found)
    for p in found:
        best = out.get(p.name)
        gives = best is not None and (p.family == best.family or likeness(p, best) >= 0.97)
        assert (p in kept) != gives


def test_twins_and_recoloured_twins_are_recognised():
    one, other = picture("a", "noto", 1), picture("a", "fluent", 1)
    dim = Image.fromarray((np.asarray(one.image) * [0.6, 0.6, 0.6, 1]).astype(np.uint8), "RGBA")
    assert likeness(one, one) > 0.99
    assert likeness(one, Cutout("a", "x", "y", "z", dim)) > 0.97
    assert likeness(one, other) < 0.97


def test_choosing_takes_every_family_before_any_second_drawing():
    many = [picture("a", family, seed) for family in FAMILIES[:4] for seed in range(3)]
    assert {p.family for p in choose(many, 4)} == set(FAMILIES[:4])
    assert len(choose(many, 7)) == 7


def test_trimming_and_shrinking_keep_shape_and_edge_colour():
    image = Image.new("RGBA", (100, 60), (0, 0, 0, 0))
    image.paste((200, 50, 50, 255), (10, 20, 90, 40))
    cut = trim(image)
    assert cut.size == (80, 20)
    small = np.asarray(shrink(cut, 40))
    assert small.shape == (10, 40, 4)
    assert np.abs(small[..., :3].astype(int) - [200, 50, 50]).max() <= 1
    assert shrink(cut, 500).size == (80, 20)


def test_what_is_written_can_be_opened_and_leaves_other_files_alone(tmp_path):
    others = [tmp_path / "start.safetensors", tmp_path / "pictures" / "mine.png"]
    for other in others:
        other.parent.mkdir(exist_ok=True)
        other.write_bytes(b"mine")
    rows = {"scenes": [], "photographs": []}
    files, index = build([picture("dog", "noto", 1)], rows, 32, (64, 48), 80)
    words = Vocabulary([Name("dog", ("puppy",), "animals", (), (), (), ())], [], {}, {})
    for zipped in (False, True, False, True):
        write(tmp_path, files, index | describe(words, {"dog"}), zipped=zipped)
        library = Library.open(tmp_path)
        assert library.by_name == {"dog": [0]}
        assert library.read_picture(0).size == (32, 32)
        assert library.words["dog"].phrase == "a dog"
        assert (tmp_path / "pictures.zip").exists() == zipped
    written = {tmp_path / "index.json", tmp_path / "pictures.zip"}
    assert set(tmp_path.rglob("*.*")) == written | set(others)
