"""What a group might be called: the word nearest to its mean token. A guess, and shown as one.

Knows the words (those of the made scenes), and how sure a guess must be. Leaves the words' vectors
to the model: only one whose tokens live among its input embeddings can be asked (models/mini.py).

Measured with 8 frames at 10% retention, by bench/guesses.py. The bounds were chosen with earlier
weights on 60 development clips (--seed 7, not the evaluation's): nine of ten right, and such that
in the natural examples the rabbit is no penguin and the Earth no man. With the shipped weights 56
of the 720 groups there get a word, 54 right (96%); on the first 150 clips of the evaluation 97 of
1,800, 91 right (94%). With a cosine of 0.5 and a lead of 0.2 146 development groups would get one,
132 right (90%), and the rabbit would be a penguin. Other natural clips were not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from scissor.graph import unit
from scissor.scenes.library import EXAM, Library
from scissor.types import Encoded

LENGTH = 2.1  # of a mean token: things have long ones, the night sky has not
COSINE = 0.55  # to its word
LEAD = 0.37  # before the next word
FEWEST = 4  # patches


@dataclass(frozen=True, eq=False)
class Words:
    """Words and their unit vectors [W, D] in the space of a model's tokens."""

    names: Sequence[str]
    units: Tensor

    def nearest(self, tokens: Tensor) -> list[str | None]:
        """The nearest word to every mean token [G, D]; None where none is near enough."""
        best, which = (unit(tokens) @ self.units.T).topk(2, dim=-1)
        sure = (
            (torch.linalg.vector_norm(tokens, dim=-1) >= LENGTH)
            & (best[:, 0] >= COSINE)
            & (best[:, 0] - best[:, 1] >= LEAD)
        )
        firsts = zip(sure.tolist(), which[:, 0].tolist(), strict=True)
        return [self.names[first] if ok else None for ok, first in firsts]


@cache
def vocabulary() -> tuple[str, ...]:
    """The names of what made scenes show; empty where their pictures are not there."""
    try:
        return tuple(sorted(Library.open(EXAM).words))
    except (OSError, ValueError, KeyError):
        return ()


def words_of(model: Any) -> Words | None:
    """The words in the model's space; None for a model whose tokens cannot be named."""
    embed = getattr(model, "embed_words", None)
    names = vocabulary() if embed else ()
    return Words(names, unit(embed(names))) if names else None


def large(size: Tensor) -> list[int]:
    """The groups that may have a word, largest first: of the twelve largest [G] those not tiny."""
    order = torch.sort(size, descending=True, stable=True).indices[:12]
    return [group for group in order.tolist() if size[group] >= FEWEST]


def guesses(encoded: Encoded, words: Words | None, ids: Tensor, size: Tensor) -> dict[int, str]:
    """{group: word} for those of the `large` groups that a word is near enough to.

    ids: [T, N], the group of every token. size: [G].
    """
    if words is None or not (asked := large(size)):
        return {}
    flat, group_of = encoded.tokens.flatten(0, 1), ids.flatten()
    means = torch.stack([flat[group_of == group].mean(0) for group in asked])
    found = zip(asked, words.nearest(means), strict=True)
    return {group: word for group, word in found if word}
