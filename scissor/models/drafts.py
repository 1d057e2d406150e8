"""Many answers about one clip, quickly: the benchmark's way through a decoder.

Knows two shortcuts that leave every answer as it is, to rounding. Questions about the same kept
tokens share the beginning of their prompts, which is read once (Prefix). An answer that is
suspected to be another one is checked against it in one call instead of being written token by
token, and only its rest is written (follow); the log-probabilities along the suspect come with it.
Leaves prefill and decoding to decoding.py. Nothing whose time is told may use a warm Prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from scissor.models.decoding import Around, Prompt, Run


class Prefix:
    """The cache that the last prompt left behind, for a next one that begins with the same rows.

    warm: whether the last prompt found rows to share.
    """

    def __init__(self) -> None:
        self._rows: Tensor | None = None
        self._cache: Any = None
        self.warm = False

    def begin(self, prompt: Prompt) -> tuple[Any, int]:
        """(a cache that holds the prompt's first rows and no more, how many they are)."""
        shared = self._shared(prompt)
        self._rows, self.warm = prompt.embeds[0], shared > 0
        if not shared:
            self._cache = None
        elif surplus := self._cache.get_seq_length() - shared:
            self._cache.crop(-surplus)
        return self._cache, shared

    def keep(self, cache: Any) -> None:
        """Remember the cache in which the prompt was read; answers may be written to it."""
        self._cache = cache

    def _shared(self, prompt: Prompt) -> int:
        """Leading rows in common; at least the last row is always read again, for its logits."""
        if self._cache is None or prompt.positions is not None or prompt.extra:
            return 0
        rows = prompt.embeds[0]
        length = min(len(rows) - 1, len(self._rows))
        differs = (rows[:length] != self._rows[:length]).any(-1)
        return int(differs.int().argmax()) if differs.any() else length


@dataclass(frozen=True, eq=False)
class Followed:
    """ids: the greedy answer, its end token included. log_probabilities: [A, V] float32 on the CPU,
    next-token, along the draft. seconds: reading the prompt, None where a prefix was warm.
    """

    ids: list[int]
    log_probabilities: Tensor
    seconds: float | None


@torch.inference_mode()
def follow(
    lm: nn.Module,
    prompt: Prompt,
    draft: Tensor,
    end: Iterable[int],
    *,
    max_new_tokens: int = 64,
    around: Around = nullcontext,
    prefix: Prefix | None = None,
) -> Followed:
    """The greedy answer, and the scores along the draft [A] int64, A at least 1.

    The ids are those of decoding.greedy, the scores those of decoding.log_probabilities. prefix: is
    left alone where something prunes in the decoder, since then nothing is shared.
    """
    start, end = perf_counter(), frozenset(end)
    run = Run(lm, prompt, around)
    prefix = prefix if around is nullcontext else None
    logits = run.prefill(prefix)[None]
    seconds = perf_counter() - start
    if len(draft) > 1:
        logits = torch.cat([logits, run.feed(draft[:-1])])
    likeliest = logits.argmax(-1).tolist()
    ids = agreed(likeliest, draft.tolist(), end, max_new_tokens)
    run.back(max(0, len(draft) - len(ids)))
    while ids[-1] not in end and len(ids) < max_new_tokens:
        ids.append(int(run.feed(ids[-1:])[-1].argmax()))
    told = None if prefix is not None and prefix.warm else seconds
    return Followed(ids, logits.log_softmax(-1).cpu(), told)


def agreed(likeliest: list[int], draft: list[int], end: frozenset[int], most: int) -> list[int]:
    """The greedy ids as far as the draft tells them: up to the first that is not the draft's."""
    ids: list[int] = []
    for said, meant in zip(likeliest, draft, strict=True):
        ids.append(said)
        if said != meant or said in end or len(ids) == most:
            break
    return ids
