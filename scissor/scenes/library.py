"""Pictures of known things on disk: cut-outs, backgrounds, and what is known of their names.

Knows the layout that training/pack.py writes: index.json, and the files beside it or in
pictures.zip. Leaves what is made of them to scene.py and render.py.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from PIL import Image

EXAM = Path(__file__).parents[2] / "assets" / "scenes"


@dataclass(frozen=True)
class Picture:
    """A cut-out. size: (width, height) in pixels. fill: part of its box that it covers, 0 to 1.

    tint: its mean colour, RGB. family: who drew it; one family draws a thing once.
    """

    name: str
    file: str
    family: str
    size: tuple[int, int]
    fill: float
    tint: tuple[int, int, int]


@dataclass(frozen=True)
class Background:
    """A picture of a place, 4:3. scene: what it shows, in a word or two."""

    scene: str
    file: str


@dataclass(frozen=True)
class Word:
    """How a name is said. single: a person counts its pictures as one thing."""

    name: str
    aliases: tuple[str, ...]
    topic: str
    article: str
    plural: bool
    single: bool
    proper: bool

    @property
    def phrase(self) -> str:
        """The name with its article, if it has one: "a dog", "scissors", "the moon"."""
        return f"{self.article} {self.name}".strip()

    @property
    def definite(self) -> str:
        """ "the dog", "santa claus"."""
        return self.name if self.proper else f"the {self.name}"


@dataclass(frozen=True, eq=False)
class Library:
    """Pictures, backgrounds and names; the pictures themselves are read when asked for."""

    path: Path
    pictures: tuple[Picture, ...]
    backgrounds: tuple[Background, ...]
    words: Mapping[str, Word]
    groups: tuple[frozenset[str], ...]
    shown: Mapping[str, frozenset[str]]

    @classmethod
    def open(cls, path: str | Path = EXAM) -> Library:
        """The library in a folder. Raises FileNotFoundError if there is no index.json."""
        index = json.loads((Path(path) / "index.json").read_text(encoding="utf-8"))
        words = {
            name: Word(name, tuple(about["aliases"]), *(about[key] for key in _ABOUT))
            for name, about in index["names"].items()
        }
        return cls(
            Path(path),
            tuple(
                Picture(
                    p["name"], p["file"], p["family"], tuple(p["size"]), p["fill"], tuple(p["tint"])
                )
                for p in index["pictures"]
            ),
            tuple(Background(b["scene"], b["file"]) for b in index["backgrounds"]),
            words,
            tuple(frozenset(group) for group in index["groups"]),
            {scene: frozenset(names) for scene, names in index["shown"].items()},
        )

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        """Indices of the pictures of each name, names in alphabetical order."""
        found: dict[str, list[int]] = {}
        for i, picture in sorted(enumerate(self.pictures), key=lambda row: (row[1].name, row[0])):
            found.setdefault(picture.name, []).append(i)
        return found

    @cached_property
    def enemies(self) -> dict[str, frozenset[str]]:
        """For each name those that it could be mixed up with, itself among them.

        They share a group, or a word that is used for both.
        """
        said: dict[str, set[str]] = {}
        for word in self.words.values():
            for text in (word.name, *word.aliases):
                said.setdefault(text, set()).add(word.name)
        found = {name: {name} for name in self.words}
        for group in (*self.groups, *said.values()):
            for name in group:
                found[name] |= group
        return {name: frozenset(others) for name, others in found.items()}

    def read_picture(self, index: int) -> Image.Image:
        """RGBA, straight alpha."""
        return Image.open(io.BytesIO(self._read(self.pictures[index].file))).convert("RGBA")

    def read_background(self, index: int) -> Image.Image:
        """RGB, 4:3."""
        return Image.open(io.BytesIO(self._read(self.backgrounds[index].file))).convert("RGB")

    def _read(self, file: str) -> bytes:
        packed = self.path / "pictures.zip"
        if packed.exists():
            with zipfile.ZipFile(packed) as archive:
                return archive.read(file)
        return (self.path / file).read_bytes()


_ABOUT = ("topic", "article", "plural", "single", "proper")


@lru_cache(maxsize=1)
def exam_library() -> Library:
    """The pictures held out from training, which come with the repository (an index of 0.2 MB)."""
    return Library.open(EXAM)
