"""Which pictures are held out for the evaluation, and which of the others train.

Knows families and twins. Leaves finding pictures to pictures.py and more.py, writing to pack.py.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import lru_cache

import numpy as np
from PIL import Image

from scissor.training.pictures import Cutout
from scissor.training.sources import EMOJI

FEWEST_FAMILIES = 3
TWIN = 0.97


def split(found: list[Cutout]) -> tuple[list[Cutout], list[Cutout]]:
    """(held out, training). A name drawn by three families or more has one family held out.

    Which one, and which of its pictures stands for it, the hash of their content decides. The whole
    family leaves the training, as does every picture that looks the same.
    """
    held, train = [], []
    for name in dict.fromkeys(picture.name for picture in found):
        mine = [picture for picture in found if picture.name == name]
        families = {p.family: _hash(name, mine, p.family) for p in mine if p.family in EMOJI}
        if len(families) < FEWEST_FAMILIES:
            train += mine
            continue
        family = min(families, key=families.__getitem__)
        best = min((p for p in mine if p.family == family), key=lambda p: p.digest)
        held.append(best)
        train += apart([best], mine)
    digests = {picture.digest for picture in held}
    return held, [p for p in train if p.digest not in digests]


def _hash(name: str, pictures: list[Cutout], family: str) -> str:
    parts = [name, *sorted(p.digest for p in pictures if p.family == family)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def likeness(a: Cutout, b: Cutout) -> float:
    """Correlation of two 16 x 16 thumbnails, alpha included; above 0.97 one drawing, recoloured."""
    x, y = (_thumb(picture) for picture in (a, b))
    shape = float(
        (x[..., 3] * y[..., 3]).sum() / np.sqrt((x[..., 3] ** 2).sum() * (y[..., 3] ** 2).sum())
    )
    inside = x[..., 3] * y[..., 3] > 0.25
    grey = [v[..., :3].mean(-1)[inside] for v in (x, y)]
    if inside.sum() < 16 or min(g.std() for g in grey) < 0.02:
        return shape if shape > 0.995 else 0.0
    return min(shape, abs(float(np.corrcoef(*grey)[0, 1])))


@lru_cache(maxsize=1 << 14)
def _thumb(picture: Cutout) -> np.ndarray:
    return np.asarray(picture.image.resize((16, 16), Image.Resampling.BOX), dtype=np.float64) / 255


def apart(held: list[Cutout], found: list[Cutout]) -> list[Cutout]:
    """Those that give no held-out picture of their name away: by another family, and no twin."""
    best = {picture.name: picture for picture in held}
    return [
        picture
        for picture in found
        if (out := best.get(picture.name)) is None
        or (picture.family != out.family and likeness(picture, out) < TWIN)
    ]


def choose(train: list[Cutout], most: int) -> list[Cutout]:
    """At most `most` pictures a name: every family and stamp once first, then second drawings."""
    chosen = []
    for name in dict.fromkeys(picture.name for picture in train):
        mine = [p for p in train if p.name == name]
        seen: Counter[str] = Counter()
        ranked = []
        for picture in mine:
            group = picture.family.split(":")[0]
            ranked.append((seen[group], picture.digest, picture))
            seen[group] += 1
        kept: list[Cutout] = []
        for _, _, picture in sorted(ranked, key=lambda row: row[:2]):
            if len(kept) < most and all(likeness(picture, other) < TWIN for other in kept):
                kept.append(picture)
        chosen += kept
    return chosen
