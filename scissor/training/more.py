"""Drawings and people by other hands than the evaluation's: for the training alone.

Knows more.txt and the packages of clip art, sprites and icons. What they are called is matched with
the names of names.txt. Leaves the evaluation's own sets to pictures.py, the choice to pack.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from scissor.training import icons, pictures
from scissor.training.fetch import ICONS
from scissor.training.pictures import TABLES, Cutout, Name, Vocabulary

NOT_PLACES = ("names", "shown", "turned", "also")  # the headings of more.txt that list no files
MOST = 6  # of one shelf a name: what is found by its file's name


@dataclass(frozen=True)
class Shelf:
    """A folder of pictures that are called by what they show. walk: search it for names."""

    package: str
    folder: str
    walk: bool = True


SHELVES = {
    "art4apps": Shelf("pysiogame", "usr/share/games/pysiogame/res/images/art4apps"),
    "openclipart": Shelf("openclipart-png", "usr/share/openclipart/png"),
    "scratch": Shelf("scratch", "usr/share/scratch/Media/Costumes"),
    "admin-lte": Shelf("admin-lte", "dist/assets/img", walk=False),
    "wesnoth": Shelf(
        "wesnoth-1.16-data",
        "usr/share/games/wesnoth/1.16/data/core/images/portraits/humans",
        walk=False,
    ),
}
# Folders whose pictures are signs, or are listed in more.txt.
SIGNS = re.compile(
    "flags|logos|computer/|signs_and_symbols/|special/|shapes/|buttons/|cards/|duplicates|"
    "roadsigns|symbols|^body/|^actions/|^jobs/"
)
SAME = {
    "aeroplane": "airplane",
    "alligator": "crocodile",
    "aubergine": "eggplant",
    "bike": "bicycle",
    "buffalo": "bison",
    "bunny": "rabbit",
    "doughnut": "donut",
    "fire engine": "fire truck",
    "hen": "chicken",
    "hippopotamus": "hippo",
    "kitten": "cat",
    "ladybird": "ladybug",
    "lama": "llama",
    "lorry": "truck",
    "motorbike": "motorcycle",
    "plane": "airplane",
    "puppy": "dog",
    "rhinoceros": "rhino",
    "sail boat": "sailboat",
    "sun flower": "sunflower",
    "tortoise": "turtle",
}


def names() -> list[Name]:
    """The training's own names, topic people, never held out."""
    rows = (line.split(",") for line in _under("names"))
    return [Name(n, tuple(a.strip() for a in more), "people", (), (), (), ()) for n, *more in rows]


def widen(words: Vocabulary) -> Vocabulary:
    """With the training's own names, people among people, and what its own places show."""
    own = names()
    new = frozenset(name.name for name in own)
    groups = [group | new if "man" in group else group for group in words.groups]
    grammar = {**words.grammar, "plural": words.grammar["plural"] | {"people"}}
    known = {name.name for name in words.names}
    places = (line.partition(":") for line in _under("shown"))
    shown = dict(words.shown)
    for place, _, rest in places:
        shown[place] = shown.get(place, frozenset()) | pictures.members(rest, known)
    return Vocabulary([*words.names, *own], groups, shown, grammar)


def further(known: list[Name], folders: dict[str, Path], tints: icons.Tints) -> Iterator[Cutout]:
    """Every further picture of the names. The family is the hand: one of the evaluation's where a
    further emoji is by it, else the source's own. tints: by name, the colour things have."""
    words = {name.name for name in known}
    turned = frozenset(word for line in _under("turned") for word in line.split())
    also = _also()
    listed: dict[str, list[tuple[str, str]]] = {}
    for head, line in _rows():
        name, _, places = line.partition(":")
        if head in NOT_PLACES:
            continue
        if name not in words | {"-"}:
            raise ValueError(f"more.txt: unknown name {name!r}")
        if head == "emoji":
            asked = Name(name, (), "", tuple(places.split()), (), (), ())
            yield from pictures.cutouts([asked], folders)
        else:
            listed.setdefault(head, []).extend((name, place) for place in places.split())
    for source, shelf in SHELVES.items():
        root = folders[shelf.package] / shelf.folder
        found = _found(root, words, turned) if shelf.walk else {}
        yield from _shelf(source, root, found, listed.get(source, []))
    for source in ICONS:
        signs = listed.get(source, [] if source in icons.REDRAWN else listed.get("icons", []))
        wrong = {icon.replace("_", " ") for _, icon in signs}
        named = [name for name in known if name.name not in wrong]
        yield from icons.drawn(source, folders[source], named, also, tints)
    font = folders["fonts-symbola"] / icons.SYMBOLA
    yield from icons.glyphs(font, known, pictures.codes_of(folders["noto"]), tints)


def _also() -> dict[str, list[str]]:
    """What icons of a name are called besides."""
    rows = (line.partition(":") for line in _under("also"))
    return {name: words.split() for name, _, words in rows}


def _rows() -> Iterator[tuple[str, str]]:
    """(heading, line) of more.txt."""
    head = ""
    for line in (TABLES / "more.txt").read_text().splitlines():
        if line.startswith("["):
            head = line.strip("[]")
        elif line and line[0] != "#":
            yield head, line


def _under(heading: str) -> Iterator[str]:
    """The lines of more.txt under one heading."""
    return (line for head, line in _rows() if head == heading)


def _files(root: Path) -> dict[str, Path]:
    files = sorted(f for f in root.rglob("*") if f.suffix in (".png", ".gif", ".jpg"))
    return {f.relative_to(root).with_suffix("").as_posix(): f for f in files}


def _found(root: Path, words: set[str], turned: frozenset[str]) -> dict[str, list[str]]:
    """The places of each name in a folder."""
    found: dict[str, list[str]] = {}
    for place in _files(root):
        if name := shown(place, words, turned):
            found.setdefault(name, []).append(place)
    return found


def _shelf(
    source: str, root: Path, found: dict[str, list[str]], listed: list[tuple[str, str]]
) -> Iterator[Cutout]:
    """What is listed, then what was found beside it, every file's content once a name."""
    files, taken = _files(root), {place for _, place in listed}
    for name, place in listed:
        if name != "-":
            yield _picture(name, source, place, files[place])
    for name, places in found.items():
        fresh = {files[place].read_bytes(): place for place in places if place not in taken}
        for place in islice(fresh.values(), MOST):
            yield _picture(name, source, place, files[place])


def shown(place: str, words: set[str], turned: frozenset[str]) -> str | None:
    """The name that a file's path says: its first words, if no word of `turned` follows."""
    folder, _, stem = place.rpartition("/")
    parts = [part for part in re.split(r"[^a-z]+", stem.lower()) if part]
    if SIGNS.search(f"{folder}/"):
        return None
    for size in (3, 2, 1):
        name = " ".join(parts[:size])
        name = SAME.get(name, name)
        if len(parts) >= size and name in words:
            return None if turned & set(parts[size:]) else name
    return None


def _picture(name: str, source: str, place: str, file: Path) -> Cutout:
    data = file.read_bytes()
    image = Image.open(file).convert("RGBA")
    image.thumbnail((2 * pictures.RENDER,) * 2)
    if file.suffix == ".jpg":
        image = without_paper(image)
    digest = hashlib.sha256(name.encode() + data).hexdigest()
    return Cutout(name, f"{source}:{place}", source, digest, pictures.trim(image))


def without_paper(image: Image.Image) -> Image.Image:
    """RGBA with the near-white that touches the border made transparent."""
    paper = Image.new("RGB", (image.width + 2, image.height + 2), "white")
    paper.paste(image.convert("RGB"), (1, 1))
    marker = (255, 0, 254)
    ImageDraw.floodfill(paper, (0, 0), marker, thresh=40)
    hole = (np.asarray(paper)[1:-1, 1:-1] == marker).all(-1)
    alpha = np.where(hole, 0, np.asarray(image.convert("RGBA"))[..., 3]).astype(np.uint8)
    cut = image.convert("RGB")
    cut.putalpha(Image.fromarray(alpha))
    return cut
