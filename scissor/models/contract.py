"""The contract every video language model keeps (one file a family beside this one).

Knows what a caller may ask of a model. Leaves how a family encodes and answers to its file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from scissor.types import Compression, Encoded, InDecoder, Video

if TYPE_CHECKING:
    from scissor.cost import Shape

Kept = Compression | InDecoder | None


class ModelError(RuntimeError):
    """A model cannot be loaded or used here; one sentence says why and what to do."""


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """Whoever asked for a model no longer waits for it."""


class VideoLLM(Protocol):
    """A video language model that answers from all visual tokens of a clip or from a few."""

    name: str
    max_frames: int

    @property
    def shape(self) -> Shape:
        """The decoder's sizes, for cost.py."""
        ...

    def encode(self, video: Video, *, attention: bool = False) -> Encoded:
        """Turn frames into visual tokens [T, N, D]; `attention` fills Encoded.attention too."""
        ...

    def answer(
        self,
        encoded: Encoded,
        kept: Kept,
        question: str,
        *,
        max_new_tokens: int = 64,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Yield the greedy answer in pieces of text.

        kept None is the model's native path. The prompt runs first, where pruning inside the
        decoder happens, then the answer over its cache. `stop` is asked before every token.
        """
        ...

    def ids(
        self,
        encoded: Encoded,
        kept: Kept,
        question: str,
        *,
        max_new_tokens: int = 64,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[int]:
        """Yield the same answer as token ids, the end of turn included."""
        ...

    def native(
        self, video: Video, encoded: Encoded, question: str, max_new_tokens: int
    ) -> tuple[list[int], Tensor]:
        """(token ids, [V] the first one's log-probabilities) of transformers' own generate().

        Nothing is removed; it reads ids and pixels where the family's class does.
        """
        ...

    def score(self, encoded: Encoded, kept: Kept, question: str, answer: str) -> Tensor:
        """[A, V] float32: next-token log-probabilities along the A tokens of `answer`.

        The answer's tokens end with the end-of-turn token. answer_ids gives their ids.
        """
        ...

    def answer_ids(self, answer: str) -> Tensor:
        """[A] int64: the token ids that score() walks along, end of turn included."""
        ...
