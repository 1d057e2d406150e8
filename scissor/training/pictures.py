"""Cut-outs, backgrounds and photographs of the fetched packages, named and rendered.

Knows the tables names.txt and backgrounds.txt and the formats inside the packages. Leaves
fetching to fetch.py, splitting and writing to pack.py.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import Image

from scissor.training.fetch import NPM

TABLES = Path(__file__).parent
FAMILY = {
    "noto": "noto",
    "noto-v1": "noto",
    "fluent-emoji": "fluent",
    "fluent-emoji-flat": "fluent",
    "fluent-3d": "fluent",
    "twemoji": "twemoji",
    "openmoji": "openmoji",
    "emojione": "emojione",
    "emojione-v1": "emojione",
    "fxemoji": "fxemoji",
    "streamline-emojis": "streamline",
}
STAMPS = "usr/share/tuxpaint/stamps"
RENDER = 256


@dataclass(frozen=True)
class Name:
    """One line of names.txt: a name, other words for it, and where its pictures lie."""

    name: str
    aliases: tuple[str, ...]
    topic: str
    emoji: tuple[str, ...]
    fx: tuple[str, ...]
    stamps: tuple[str, ...]
    never: tuple[str, ...]


@dataclass(eq=False)
class Cutout:
    """A picture of one thing with alpha, trimmed; `digest` is of the source's content."""

    name: str
    source: str
    family: str
    digest: str
    image: Image.Image = field(repr=False)


@dataclass(frozen=True)
class Vocabulary:
    """names.txt: names, sets that never meet, what a background shows, how names are said."""

    names: list[Name]
    groups: list[frozenset[str]]
    shown: dict[str, frozenset[str]]
    grammar: dict[str, frozenset[str]]


def read_names(path: Path = TABLES / "names.txt") -> Vocabulary:
    """Reads names.txt. Raises ValueError on a name that is used and not listed."""
    lines = [line for line in path.read_text().splitlines() if line and line[0] != "#"]
    first, second, third = (i for i, line in enumerate(lines) if line == "~")
    names, topic = [], ""
    for line in lines[:first]:
        if line[0] == "[":
            topic = line.strip("[]")
        else:
            names.append(_name(line, topic))
    known = {name.name for name in names}
    groups = [members(line, known) for line in lines[first + 1 : second]]
    shown, grammar = (
        {head: members(rest, known) for head, _, rest in (line.partition(":") for line in part)}
        for part in (lines[second + 1 : third], lines[third + 1 :])
    )
    return Vocabulary(names, groups, shown, grammar)


def _name(line: str, topic: str) -> Name:
    words, _, places = line.partition(":")
    name, *aliases = (word.strip() for word in words.split(","))
    parts: dict[str, tuple[str, ...]] = {"emoji": (), "fx": (), "st": (), "x": ()}
    for part in places.split(";"):
        head, *rest = part.split() or [""]
        key, items = (head, rest) if head in parts else ("emoji", [head, *rest])
        parts[key] = tuple(item for item in items if item)
    return Name(name, tuple(aliases), topic, *parts.values())


def members(line: str, known: set[str]) -> frozenset[str]:
    """Names of one to four words, written one after another, longest first."""
    words, found = line.split(), set()
    while words:
        for size in (4, 3, 2, 1):
            name = " ".join(words[:size])
            if name in known:
                found.add(name)
                del words[:size]
                break
        else:
            raise ValueError(f"unknown name in a group: {words[0]!r} of {line!r}")
    return frozenset(found)


def extras(names: list[Name], folders: dict[str, Path]) -> Iterator[Name]:
    """Further names for training only: stamps whose caption is one short noun ("A crow.")."""
    known = {word for name in names for word in (name.name, *name.aliases)}
    used = {stamp for name in names for stamp in name.stamps}
    root = folders["tuxpaint-stamps-default"] / STAMPS
    for file in sorted(root.rglob("*.txt")):
        stamp = str(file.relative_to(root).with_suffix(""))
        caption = file.read_text(errors="ignore").partition("\n")[0]
        plain = re.fullmatch(r"(?:An?|A pair of) ([A-Za-z]+(?: [a-z]+)?)\.", caption)
        skip = stamp.startswith(("symbols", "town", "military", "people", "seasonal/halloween"))
        if plain and stamp not in used and not skip and plain[1].lower() not in known:
            yield Name(plain[1].lower(), (), "extra", (), (), (stamp,), ())


def cutouts(names: list[Name], folders: dict[str, Path]) -> Iterator[Cutout]:
    """Every picture of every name; the same drawing under two names of a set comes once."""
    for name in names:
        seen = set()
        for source in NPM:
            for found in _emoji(name, source, folders):
                key = f"{source}:{found}"
                data = _drawing(source, found, folders)
                digest = hashlib.sha256(data).hexdigest()
                if digest in seen or key in name.never or source in name.never:
                    continue
                seen.add(digest)
                yield Cutout(name.name, key, FAMILY[source], digest, trim(render(data)))
        for stamp in name.stamps:
            yield _stamp(name.name, stamp, folders)


def _emoji(name: Name, source: str, folders: dict[str, Path]) -> Iterator[str]:
    if source == "fluent-3d":
        book = codes_of(folders["noto"])
        for slug in name.emoji:
            for code in book.get(slug, ()):
                file = folders[source] / "assets" / f"{code}.webp"
                if file.exists():
                    yield code
                    break
        return
    icons = icons_of(folders[source])
    for slug in name.fx if source == "fxemoji" else ():
        if slug in icons:
            yield slug
    for slug in name.emoji:
        tries = [slug]
        if source == "fxemoji":
            tries = [slug.replace("-", "")]
        if source == "streamline-emojis":
            tries = [slug + end for end in ("", "-face", "-1", "-2", "-3", "-face-1", "-face-2")]
        yield from (key for key in tries if key in icons)


@cache
def icons_of(folder: Path) -> dict[str, str]:
    """Each icon and alias of an iconify set as a whole SVG document."""
    book = json.loads((folder / "icons.json").read_text())
    whole = {"width": book.get("width", 16), "height": book.get("height", 16)}
    found = {}
    for key, icon in book["icons"].items():
        size = {**whole, **icon}
        box = f"{size.get('left', 0)} {size.get('top', 0)} {size['width']} {size['height']}"
        found[key] = (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' viewBox="{box}" width="{size["width"]}" height="{size["height"]}">'
            f"{icon['body']}</svg>"
        )
    for key, alias in book.get("aliases", {}).items():
        if alias["parent"] in found and not set(alias) & {"rotate", "hFlip", "vFlip"}:
            found.setdefault(key, found[alias["parent"]])
    return found


@cache
def codes_of(folder: Path) -> dict[str, list[str]]:
    """The code points of each emoji name, in hex, as the 3D set names its files."""
    codes: dict[str, list[str]] = {}
    for code, slug in json.loads((folder / "chars.json").read_text()).items():
        full = "-".join(part.rjust(4, "0") for part in code.split("-"))
        codes.setdefault(slug, []).extend((full, f"{full}-fe0f"))
    return codes


def _drawing(source: str, key: str, folders: dict[str, Path]) -> bytes:
    if source == "fluent-3d":
        return (folders[source] / "assets" / f"{key}.webp").read_bytes()
    return icons_of(folders[source])[key].encode()


def _stamp(name: str, stamp: str, folders: dict[str, Path]) -> Cutout:
    root = folders["tuxpaint-stamps-default"] / "usr/share/tuxpaint/stamps"
    file = next(
        root / f"{stamp}{end}" for end in (".png", ".svg") if (root / f"{stamp}{end}").exists()
    )
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Cutout(name, f"stamps:{stamp}", f"stamps:{stamp}", digest, trim(render(data)))


def render(data: bytes) -> Image.Image:
    """RGBA picture of an SVG (256 pixels wide) or of a bitmap."""
    if data[:4] in (b"RIFF", b"\x89PNG", b"GIF8") or data[:3] == b"\xff\xd8\xff":
        return Image.open(io.BytesIO(data)).convert("RGBA")
    try:
        import resvg_py
    except ImportError as error:
        raise RuntimeError("drawings need resvg: pip install resvg-py") from error
    png = resvg_py.svg_to_bytes(svg_string=data.decode(), width=RENDER, dpi=90)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def trim(image: Image.Image) -> Image.Image:
    """Without its transparent border; alpha under 8 of 255 counts as nothing."""
    box = image.getchannel("A").point(lambda a: 255 if a >= 8 else 0).getbbox()
    return image.crop(box) if box else image


def read_backgrounds(
    path: Path = TABLES / "backgrounds.txt",
) -> Iterator[tuple[str, str, str, str]]:
    """Rows (section, heading, package, path[ @byte]) of backgrounds.txt."""
    section = heading = ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.endswith(":") and line[0] not in " #":
            heading = line[:-1]
        elif line.startswith("  "):
            package, _, place = line.strip().partition(" ")
            yield section, heading, package, place


def load_background(
    package: str, place: str, folders: dict[str, Path]
) -> tuple[bytes, Image.Image]:
    """The source's bytes and its RGB picture."""
    path, _, start = place.partition(" @")
    data = (folders[package] / path).read_bytes()
    if start:
        data = data[int(start) :]
        if data[:4] == b"RIFF":
            data = data[: int.from_bytes(data[4:8], "little") + 8]
    if path.endswith(".svg"):
        return data, render(re.sub(rb"<\?xml[^>]*\?>", b"", data)).convert("RGB")
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (1280, 960))
    return data, image.convert("RGB")
