"""Random draws that are the same on every machine and for every version of numpy.

Knows PCG64's raw bits, whose stream numpy promises to keep. Leaves what is drawn to others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Dice:
    """A seeded source; seeds are integers or tuples of them."""

    def __init__(self, *seed: int):
        self._bits = np.random.PCG64(np.random.SeedSequence(seed))

    def random(self) -> float:
        """Uniform in [0, 1), 53 bits."""
        return (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high), on a grid of 1/1024 so that it survives a text file."""
        return round((low + (high - low) * self.random()) * 1024) / 1024

    def below(self, n: int) -> int:
        """Uniform integer in [0, n)."""
        return int(self.random() * n)

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.random() < p

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in items]
