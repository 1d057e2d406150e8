"""Icons are found by what they are called; what has one colour gets the thing's besides."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from scissor.training import icons
from scissor.training.pictures import Cutout, Name

GREEN = {"bottle": (20, 180, 30)}


def line(image: Image.Image) -> Cutout:
    return Cutout("bottle", "set:bottle", "set", "ab" * 32, image)


def named(name: str, *emoji: str) -> Name:
    return Name(name, (), "", emoji, (), (), ())


def test_what_lines_enclose_gets_about_the_thing_s_colour():
    ring = Image.new("RGBA", (80, 60))
    ImageDraw.Draw(ring).ellipse((5, 5, 74, 54), outline=(10, 10, 90), width=4)
    (filled,) = icons._filled(line(ring), GREEN)
    pixels, before = np.asarray(filled.image).astype(int), np.asarray(ring)
    inked = before[..., 3] == 255
    assert (pixels[inked] == before[inked]).all()
    assert pixels[0, 0, 3] == 0
    assert pixels[30, 40, 3] == 255
    assert np.abs(pixels[30, 40, :3] - GREEN["bottle"]).max() <= 48
    assert filled.digest != "ab" * 32
    assert (filled.name, filled.family) == ("bottle", "set")


@pytest.mark.parametrize("crossed", [False, True])
def test_what_encloses_little_is_not_filled(crossed):
    picture = Image.new("RGBA", (80, 60))
    draw = ImageDraw.Draw(picture)
    if crossed:
        draw.line((5, 30, 74, 30), fill="black")
    draw.ellipse((30, 20, 50, 40), fill="black")
    assert not list(icons._filled(line(picture), GREEN))


def test_a_set_is_asked_for_a_name_and_what_else_it_is_called(tmp_path, monkeypatch):
    def ring(drawing: bytes) -> Image.Image:
        assert b"currentColor" not in drawing
        image = Image.new("RGBA", (60, 60))
        ImageDraw.Draw(image).ellipse((5, 5, 54, 54), outline="black", width=4)
        return image

    monkeypatch.setattr(icons.pictures, "render", ring)
    colours = {"bottle": "currentColor", "cup": "#f00", "mug-fill": "#f00"}
    book = {name: {"body": f'<path fill="{colour}"/>'} for name, colour in colours.items()}
    (tmp_path / "icons.json").write_text(json.dumps({"icons": book}))
    names = [named("bottle"), named("beaker"), named("glass")]
    also = {"beaker": ["mug", "cup"], "glass": ["tumbler"]}
    found = list(icons.drawn("mingcute", tmp_path, names, also, GREEN))
    assert [(c.name, c.source) for c in found] == [
        ("beaker", "mingcute:mug-fill"),
        ("bottle", "mingcute:bottle"),
        ("bottle", "mingcute:bottle"),
    ]
    bare, filled = (np.asarray(c.image)[..., 3] > 128 for c in found[1:])
    assert bare.mean() < 0.4 < 0.7 < filled.mean()
    assert len({c.digest for c in found}) == 3


def test_a_font_draws_the_emoji_that_it_has(tmp_path):
    font = tmp_path / "font.ttf"
    font.write_bytes(ImageFont.load_default(10).path.getvalue())
    names = [named("letter", "family", "o"), named("lacking", "rare")]
    codes = {"family": ["006f-200d"], "o": ["006f"], "rare": ["f8fe"]}
    found = list(icons.glyphs(font, names, codes, {}))
    assert [(c.name, c.source) for c in found] == [("letter", "symbola:6f")] * 2
    bare, filled = (np.asarray(c.image)[..., 3] > 128 for c in found)
    assert bare[0].any()
    assert filled[filled.shape[0] // 2].all()
    assert not bare[bare.shape[0] // 2].all()
