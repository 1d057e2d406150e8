"""What a group might be called: the word nearest to its mean token. A guess, and shown as one.

Knows the words (those of the made scenes), and how sure a guess must be. Leaves the words' vectors
to the model: only one whose tokens live among its input embeddings can be asked (models/mini.py).

Measured on the first 60 clips of the evaluation, at 10% retention, on the twelve largest groups of
four patches and more: 53 of 717 groups got a word, and for 43 of them (81%) it was the very name of
the thing that covers them. The bounds were chosen on these same clips. Without the one on the
length 145 groups would get a word and two of three would be wrong: a plain background lies near
some word too. On natural clips nothing has been measured.
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

LENGTH = 5.0  # of a mean token: things have long ones, backgrounds do not
COSINE = 0.3  # to its word
LEAD = 0.05  # before the next word
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


def guesses(encoded: Encoded, words: Words | None, ids: Tensor, size: Tensor) -> dict[int, str]:
    """{group: word} for those of the twelve largest groups that a word is near enough to.

    ids: [T, N], the group of every token. size: [G].
    """
    if words is None:
        return {}
    order = torch.sort(size, descending=True, stable=True).indices[:12]
    large = [group for group in order.tolist() if size[group] >= FEWEST]
    if not large:
        return {}
    flat, group_of = encoded.tokens.flatten(0, 1), ids.flatten()
    means = torch.stack([flat[group_of == group].mean(0) for group in large])
    found = zip(large, words.nearest(means), strict=True)
    return {group: word for group, word in found if word}
