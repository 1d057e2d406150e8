"""The training pictures in memory, and every name that a token may be aligned with.

Knows the pack that pack.py writes and ImageNet's names. Leaves scenes to data.py.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from scissor.scenes.dice import Dice
from scissor.scenes.library import Library, Word
from scissor.scenes.scene import COLOURS
from scissor.training.sources import EMOJI

TEXTURE = 128  # side of a cut-out in the atlas, whatever its shape
HANDS = 4  # that drew a thing, at least, for one of them to be spared
SPARING = 2  # one in so many names has drawings spared: the tower learns from all others'


@dataclass(frozen=True, eq=False)
class Album:
    """pictures: [P, S, S, 4] uint8, each stretched to the square, straight alpha.

    backgrounds: [B, H, W, 3] uint8, places first, then the photographs. photographs: what each of
    those shows. classes: ImageNet's names. library: with words for all names. sparing: whether
    some drawings are kept from the tower.
    """

    library: Library
    pictures: Tensor
    backgrounds: Tensor
    photographs: tuple[str, ...]
    classes: tuple[str, ...]
    sparing: bool = True

    @property
    def places(self) -> int:
        """How many of the backgrounds are no photographs of things."""
        return len(self.library.backgrounds)

    @cached_property
    def names(self) -> list[str]:
        """Names of things, colours and places, each once."""
        places = (background.scene for background in self.library.backgrounds)
        return list(dict.fromkeys([*self.library.words, *COLOURS, *places]))

    @cached_property
    def drawn(self) -> list[str]:
        """Names of the things that there are pictures of, in order of the alphabet."""
        return sorted({picture.name for picture in self.library.pictures})

    @cached_property
    def spared(self) -> dict[str, list[int]]:
        """By name the pictures by one hand, which the tower is not taught: what it says of them is
        what it says of new drawings. Every second name that many hands drew; emoji go first.
        """
        found: dict[str, list[int]] = {}
        for turn, name in enumerate(self.drawn[::SPARING] if self.sparing else ()):
            pictures = self.library.by_name[name]
            by = {i: self.library.pictures[i].family for i in pictures}
            hands = sorted(set(by.values()))
            if len(hands) >= HANDS:
                hand = Dice(turn).choice([hand for hand in hands if hand in EMOJI] or hands)
                found[name] = [i for i in pictures if by[i] == hand]
        return found

    @cached_property
    def taught_by(self) -> dict[str, list[int]]:
        """By name all other pictures."""
        return {
            name: [i for i in pictures if i not in self.spared.get(name, ())]
            for name, pictures in self.library.by_name.items()
        }

    @cached_property
    def taught(self) -> list[int]:
        """Those of all names, in the library's order."""
        return sorted(i for pictures in self.taught_by.values() for i in pictures)

    @cached_property
    def row(self) -> dict[str, int]:
        """The classifier's row of each drawn name: they come after ImageNet's."""
        return {name: i for i, name in enumerate(self.drawn, len(self.classes))}

    @cached_property
    def where(self) -> dict[str, int]:
        """Index into `names`."""
        return {name: i for i, name in enumerate(self.names)}

    @classmethod
    def read(cls, folder: Path, imagenet: Sequence[str]) -> Album:
        """From the folder that pack.py wrote; `imagenet` are the thousand class names."""
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        photographs = tuple(photo["name"] for photo in index["photographs"])
        library = _with_words(Library.open(folder), [*imagenet, *photographs])
        files = [b.file for b in library.backgrounds] + [p["file"] for p in index["photographs"]]
        with zipfile.ZipFile(folder / "pictures.zip") as archive:
            cut = [_square(_open(archive, picture.file)) for picture in library.pictures]
            backs = [np.asarray(_open(archive, file).convert("RGB")) for file in files]
        pictures, backgrounds = (torch.from_numpy(np.stack(x)) for x in (cut, backs))
        return cls(library, pictures, backgrounds, photographs, tuple(imagenet))


def _open(archive: zipfile.ZipFile, file: str) -> Image.Image:
    return Image.open(io.BytesIO(archive.read(file)))


def _square(image: Image.Image) -> np.ndarray:
    premultiplied = image.convert("RGBA").convert("RGBa")
    square = premultiplied.resize((TEXTURE, TEXTURE), Image.Resampling.BILINEAR)
    return np.asarray(square.convert("RGBA"))


def _with_words(library: Library, names: Sequence[str]) -> Library:
    """The library with a word for every further name."""
    more = {
        name: Word(name, (), "extra", "an" if name[0] in "aeiou" else "a", False, True, False)
        for name in names
        if name not in library.words
    }
    return dataclasses.replace(library, words={**more, **library.words})
