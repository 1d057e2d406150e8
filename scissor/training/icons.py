"""Icons as drawings: sets of one hand each, and an emoji font.

Knows what the icons of a name are called, and how what has one colour gets two. Leaves the names
and which icons show something else to more.py, the sets' files to pictures.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scissor.training import pictures
from scissor.training.pictures import Cutout, Name

# Emoji drawn again in one colour: how their sets begin an emoji's name.
REDRAWN = {"arcticons": "emoji-", "emojione-monotone": "", "fluent-emoji-high-contrast": ""}
# Sets by a hand that drew others too, some of them the evaluation's.
HANDS = {
    "emojione-monotone": "emojione",
    "fluent-color": "fluent",
    "fluent-emoji-high-contrast": "fluent",
    "lucide-lab": "lucide",
}
# How a set ends the name of an icon that is more than lines.
FULL = {"mingcute": "-fill", "ph": "-duotone", "ri": "-fill", "solar": "-bold-duotone"}
SYMBOLA = "usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf"
ENCLOSED = 0.15  # of a drawing's box, at least, to be worth a colour
OUTSIDE = 2

Tints = Mapping[str, Sequence[float]]  # by name, the colour things have


def drawn(
    source: str, folder: Path, names: list[Name], also: Mapping[str, list[str]], tints: Tints
) -> Iterator[Cutout]:
    """An icon set's drawings; one of a single colour is tinted, and comes filled besides.

    also: by name, what its icons are called besides. tints: by name, the colour things have.
    """
    book = pictures.icons_of(folder)
    for name in sorted(names, key=lambda name: name.name):
        keys = _keys(source, name, also.get(name.name, []))
        icon = next((key for key in keys if key in book), None)
        if icon is None:
            continue
        digest = hashlib.sha256(f"{name.name} {book[icon]}".encode()).hexdigest()
        tint = "#{:02x}{:02x}{:02x}".format(*_tint(digest))
        drawing = re.sub("currentColor|#2F88FF", tint, book[icon], flags=re.IGNORECASE)
        image = pictures.trim(pictures.render(drawing.encode()))
        cutout = Cutout(name.name, f"{source}:{icon}", family(source), digest, image)
        yield cutout
        if "currentColor" in book[icon]:
            yield from _filled(cutout, tints)


def glyphs(
    font: Path, names: list[Name], codes: Mapping[str, list[str]], tints: Tints
) -> Iterator[Cutout]:
    """An emoji font's characters, as icons of a single colour. codes: of each emoji, in hex."""
    pen = ImageFont.truetype(font, pictures.RENDER)
    missing = bytes(pen.getmask("\U0010fffe"))
    for name in names:
        points = (code for slug in name.emoji for code in codes.get(slug, ()) if "-" not in code)
        letters = (chr(int(code, 16)) for code in points)
        letter = next((c for c in letters if bytes(pen.getmask(c)) != missing), None)
        if letter is None:
            continue
        digest = hashlib.sha256(f"{name.name} symbola {letter}".encode()).hexdigest()
        image = Image.new("RGBA", (2 * pictures.RENDER,) * 2)
        middle = (pictures.RENDER,) * 2
        ImageDraw.Draw(image).text(middle, letter, fill=_tint(digest), font=pen, anchor="mm")
        source = f"symbola:{ord(letter):x}"
        cutout = Cutout(name.name, source, "symbola", digest, pictures.trim(image))
        yield cutout
        yield from _filled(cutout, tints)


def _tint(digest: str) -> tuple[int, int, int]:
    """A colour that is not too light."""
    return tuple(part * 3 // 4 for part in bytes.fromhex(digest[:6]))


def _filled(line: Cutout, tints: Tints) -> Iterator[Cutout]:
    """A line drawing once more with about the thing's colour in what the lines enclose."""
    alpha = np.pad(np.asarray(line.image)[..., 3], 1)
    marked = (alpha >= 128).astype(np.uint8)
    cv2.floodFill(marked, None, (0, 0), OUTSIDE)
    if (marked == 0).mean() < ENCLOSED:
        return
    digest = hashlib.sha256(f"filled {line.digest}".encode()).hexdigest()
    tint = np.array([*bytes.fromhex(digest[:6])])
    if line.name in tints:
        tint = tints[line.name] + (tint - 128) * 3 / 8
    body = np.empty((*marked.shape, 4), dtype=np.uint8)
    body[..., :3] = np.clip(tint, 0, 255)
    body[..., 3] = np.where(marked == OUTSIDE, 0, 255)
    image = Image.alpha_composite(Image.fromarray(body[1:-1, 1:-1].copy()), line.image)
    yield Cutout(line.name, line.source, line.family, digest, image)


def family(source: str) -> str:
    """The hand that drew an icon set: all of Streamline's count as one."""
    return "streamline" if source.startswith("streamline") else HANDS.get(source, source)


def _keys(source: str, name: Name, also: list[str]) -> list[str]:
    """What an icon of a name may be called, the likeliest first."""
    if source in REDRAWN:
        return [REDRAWN[source] + slug for slug in name.emoji]
    key = name.name.replace(" ", "-")
    own = [key, *(f"{key}-{k}" for k in range(1, 6)), *also]
    full = [word + FULL[source] for word in own] if source in FULL else []
    return [*full, *own]
