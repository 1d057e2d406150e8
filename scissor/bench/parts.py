"""The parts of the evaluation: the exam itself, four options, every picture alone.

Knows which clips a part shows, how it measures one and what it is pinned by. Leaves the clips to
scissor/scenes, running and keeping to accuracy.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from scissor.bench.choosing import choose
from scissor.bench.measure import measure
from scissor.scenes import Clip, Library, exam
from scissor.scenes import choices as options
from scissor.scenes import portraits as alone
from scissor.scenes.exam import CLIPS, SEED, fingerprint

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """told: what its numbers are. clips: its first ones, of `size` in all. pins: a fingerprint of
    what is shown and asked in the first ten, by name. measure: rows of a clip under conditions.
    rows: those of its summary by the names that they go by; all as they are without it.
    """

    told: str
    size: int
    seed: int
    clips: Callable[[int, Library, int], list[Clip]]
    pins: Callable[[Library, int], dict[str, str]]
    measure: Callable[..., Iterator[dict]] = measure
    rows: Mapping[str, str] | None = None

    def shown(self, found: Mapping[str, T]) -> dict[str, T]:
        """The summary's rows under the names that they have in this part."""
        names = self.rows or {row: row for row in found}
        return {new: found[old] for old, new in names.items() if old in found}


def _first_of_exam(library: Library, seed: int) -> dict[str, str]:
    return {"exam": fingerprint(exam(10, library, seed), library)}


def _with_options(count: int, library: Library, seed: int) -> list[Clip]:
    return [clip for clip in exam(count, library, seed) if options.choices(clip, library)]


def _first_options(library: Library, seed: int) -> dict[str, str]:
    asked = (
        choice for clip in exam(10, library, seed) for choice in options.choices(clip, library)
    )
    return _first_of_exam(library, seed) | {"choices": options.fingerprint(asked)}


def _first_pictures(library: Library, seed: int) -> dict[str, str]:
    return {"pictures": fingerprint(alone.portraits(10, library, seed), library)}


PARTS = {
    "exam": Part("percent right", CLIPS, SEED, exam, _first_of_exam),
    "choices": Part(
        "percent of right choices among four options, 25 by chance",
        CLIPS,
        SEED,
        _with_options,
        _first_options,
        choose,
    ),
    "pictures": Part(
        "percent of held-out pictures that are named right",
        471,
        alone.SEED,
        alone.portraits,
        _first_pictures,
        rows={"list": "named, nothing else", "list (F1)": "named (F1)"},
    ),
}
