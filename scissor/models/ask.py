"""Ask a model about an encoded clip, timed.

Knows how compressing, reading the prompt and answering are timed: the one definition for page,
command line and benchmarks. Leaves compressing to the callable it is given, answering to the model.

The clock runs from the question on: the compression, then prompt, prefill and decoding. Encoding is
not in it (every setting shares it), nor is the time in which the caller holds the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter

from torch import Tensor

from scissor.models.contract import Kept, VideoLLM
from scissor.models.pruning import selection
from scissor.types import Compression, Encoded, InDecoder, target_count


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer so far.

    kept: visual tokens the decoder answers from (with InDecoder: in its later layers), of `total`.
    compression: what was answered from; an InDecoder becomes the Compression of the tokens it kept
    as soon as the prefill has chosen them, which is before the first text.
    seconds_compress: making `compression`. seconds_first: until the first text, compress and
    prefill included; None before it. seconds_total: until now. written: tokens of the whole answer,
    end of turn included; 0 until done. stopped: ended by `stop`, not by the model or the limit.
    """

    model: str
    text: str
    kept: int
    total: int
    compression: Kept
    seconds_compress: float
    seconds_first: float | None
    seconds_total: float
    written: int = 0
    done: bool = False
    stopped: bool = False


class _Clock:
    """Seconds spent on our side of a generator's yields."""

    def __init__(self) -> None:
        self._spent, self._since = 0.0, perf_counter()

    def read(self) -> float:
        return self._spent + perf_counter() - self._since

    def pause(self) -> None:
        self._spent = self.read()

    def resume(self) -> None:
        self._since = perf_counter()


def ask(
    model: VideoLLM,
    encoded: Encoded,
    compress: Callable[[], Kept] | None,
    question: str,
    *,
    max_new_tokens: int = 64,
    stop: Callable[[], bool] | None = None,
) -> Iterator[Answer]:
    """Yield the answer as it grows: once after compressing, once a piece of text, once when done.

    compress does the work it is timed for and returns what the model shall answer from; None
    answers from all tokens.
    """
    clock = _Clock()
    kept = compress() if compress is not None else None
    compressed, first, text = clock.read(), None, ""
    kept, known = _watched(encoded, kept)

    def so_far(**more: object) -> Answer:
        now = clock.read()
        clock.pause()
        counts = _count(encoded, kept), encoded.tokens.shape[0] * encoded.tokens.shape[1]
        return Answer(model.name, text, *counts, known(), compressed, first, now, **more)

    yield so_far()
    clock.resume()
    for piece in model.answer(encoded, kept, question, max_new_tokens=max_new_tokens, stop=stop):
        text += piece
        first = clock.read() if first is None else first
        yield so_far()
        clock.resume()
    stopped = stop is not None and stop()
    yield so_far(written=len(model.answer_ids(text)), done=True, stopped=stopped)


def ask_both(
    model: VideoLLM,
    encoded: Encoded,
    compress: Callable[[], Kept],
    question: str,
    *,
    max_new_tokens: int = 64,
    stop: Callable[[], bool] | None = None,
    warm_up: bool = True,
) -> Iterator[tuple[str, Answer]]:
    """Yield ("kept", answer) as it grows, then ("all", answer), never both at once.

    Both are greedy with the same limit, after one compressed token that warms the machine up.
    `stop` ends the answer that runs; the full one does not start while it still holds.
    """
    if warm_up:
        for _ in model.answer(encoded, compress(), question, max_new_tokens=1, stop=stop):
            pass
    for side, make in (("kept", compress), ("all", None)):
        if stop is not None and stop():
            return
        limits = {"max_new_tokens": max_new_tokens, "stop": stop}
        for answer in ask(model, encoded, make, question, **limits):
            yield side, answer


def _watched(encoded: Encoded, kept: Kept) -> tuple[Kept, Callable[[], Kept]]:
    """`kept` to answer from, and what is known of it: the tokens chosen inside, once they are."""
    if not isinstance(kept, InDecoder):
        return kept, lambda: kept
    seen: list[Tensor] = []
    made: list[Compression] = []

    def known() -> Kept:
        if seen and not made:
            made.append(selection(encoded, seen[0], kept.method, kept.layer))
        return made[0] if made else kept

    return replace(kept, chosen=seen.append), known


def _count(encoded: Encoded, kept: Kept) -> int:
    total = encoded.tokens.shape[0] * encoded.tokens.shape[1]
    if isinstance(kept, Compression):
        return kept.kept
    return target_count(kept.retention, total) if isinstance(kept, InDecoder) else total
