"""Asks many methods the page's question about the page's clip, one after the other.

Knows the order, what is held against the answer from all tokens, and that only one asks the model
at a time. Leaves methods to scissor/methods, drift to fidelity.py, the rows' content to board.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from scissor import fidelity
from scissor.cost import prompt_cost
from scissor.methods import METHODS
from scissor.models import Answer, Kept, VideoLLM, ask
from scissor.ui import board
from scissor.ui.desk import MOST_WORDS, Desk, checked
from scissor.ui.errors import RequestError
from scissor.ui.relay import relayed
from scissor.ui.store import ByteCache, Clip

PAUSE = 0.4  # seconds between two boards while an answer grows
HELD_BYTES = 64 * 2**20
Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Asked:
    """One visitor's clip and question, before a model that is theirs for the while."""

    model: VideoLLM
    clip: Clip
    question: str
    stop: Stop

    def answers(self, compress: Callable[[], Kept] | None) -> Iterator[Answer]:
        """The answer as it grows, at most one every PAUSE seconds; the last one surely."""
        since = 0.0
        limits = {"max_new_tokens": MOST_WORDS, "stop": self.stop}
        for answer in ask(self.model, self.clip.encoded, compress, self.question, **limits):
            if answer.done or monotonic() - since > PAUSE:
                since = monotonic()
                yield answer


@dataclass(frozen=True, eq=False)
class Full:
    """The answer from all tokens, timed, and what the others are held against."""

    answer: Answer
    reference: fidelity.Reference


class Comparison:
    """The three things that the Compare tab does, over one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._held: ByteCache[Full] = ByteCache(
            HELD_BYTES, lambda full: full.reference.log_probabilities.nbytes
        )

    def boards(
        self, clip: Clip, question: str, names: Sequence[str], retention: float, stop: Stop
    ) -> Iterator[dict[str, Any]]:
        """The board as it fills: all tokens first, then each method at that retention.

        Raises RequestError for a question or methods that cannot be compared.
        """
        known = _known(names)
        with self._asking(clip, question, stop) as asked:
            told = board.new_board(clip, asked.question, known, retention)
            full, rows = None, told["rows"]
            yield told
            _warm_up(asked)
            for answer, full in self._full(asked):  # noqa: B007 - the last one is wanted
                rows[0] |= board.told(clip, asked.model.shape, answer)
                yield told
            for row in rows[1:]:
                if full is None or stop():
                    break
                for part in _row(asked, row["name"], retention, full):
                    row |= part
                    yield told
            for row in rows:
                row["state"] = "stopped" if row["state"] == "waiting" else row["state"]
            yield told

    def points(
        self,
        clip: Clip,
        question: str,
        names: Sequence[str],
        retentions: Sequence[float],
        stop: Stop,
    ) -> Iterator[tuple[fidelity.Point | None, int]]:
        """(a point, the operations of the full prefill) for every method and retention in reach.

        The first comes without a point, before the answer from all tokens is known.
        """
        known = _known(names)
        with self._asking(clip, question, stop) as asked:
            operations = prompt_cost(asked.model.shape, clip.prepared.forest.weight.numel()).flops
            yield None, operations
            full = self._known_full(asked)
            if full is None:
                return
            # shares outside, methods inside: every line of the chart grows at the same pace
            for share in retentions:
                for point in fidelity.curve(
                    asked.model, clip.encoded, known, [share], full.reference, stop=stop
                ):
                    yield point, operations

    def smallest(
        self, clip: Clip, question: str, stop: Stop
    ) -> Iterator[fidelity.Probe | fidelity.Smallest]:
        """Every retention tried by the two-step method, then the smallest that keeps the answer."""
        with self._asking(clip, question, stop) as asked:
            full = self._known_full(asked)
            if full is None:
                return

            def search(tell: Callable[[fidelity.Probe], None], ended: Stop) -> fidelity.Smallest:
                return fidelity.smallest_retention(
                    asked.model,
                    clip.encoded,
                    METHODS["scc"],
                    asked.question,
                    answer=full.answer.text,
                    max_new_tokens=MOST_WORDS,
                    progress=tell,
                    stop=lambda: stop() or ended(),
                )

            yield from relayed(search)

    @contextmanager
    def _asking(self, clip: Clip, question: str, stop: Stop) -> Iterator[Asked]:
        question = checked(question)
        with self.desk.shelf.lock:
            yield Asked(self.desk.shelf.take(clip.source), clip, question, stop)

    def _known_full(self, asked: Asked) -> Full | None:
        """The answer from all tokens, asked for now if it is not held; None if that was stopped."""
        found = None
        for _, found in self._full(asked):  # noqa: B007 - the last one is wanted
            pass
        return found

    def _full(self, asked: Asked) -> Iterator[tuple[Answer, Full | None]]:
        """The answer from all tokens as it grows, with what is held of it in the end."""
        clip, question = asked.clip, asked.question
        key = clip.encoded.key, question
        held = self._held.get(key)
        if held is None:
            for answer in asked.answers(None):
                yield answer, None
            if answer.stopped:
                return
            about = fidelity.reference(asked.model, clip.encoded, question, answer=answer.text)
            held = Full(answer, about)
            self._held.put(key, held)
        yield held.answer, held


def _row(asked: Asked, name: str, retention: float, full: Full) -> Iterator[dict[str, Any]]:
    """What changes in a method's row while it answers."""
    method, clip, chosen = METHODS[name], asked.clip, []
    if not method.reaches(retention, len(clip.encoded.tokens)):
        yield board.out_of_reach(name, len(clip.encoded.tokens))
        return

    def compress() -> Kept:
        chosen[:] = [method(clip.encoded, retention)]
        return chosen[0]

    for answer in asked.answers(compress):
        yield board.told(clip, asked.model.shape, answer)
    if not answer.stopped:
        found = fidelity.fidelity(asked.model, clip.encoded, chosen[0], full.reference)
        yield board.held_against(full.answer.text, answer.text, found)


def _known(names: Sequence[str]) -> list[str]:
    known = [name for name in METHODS if name in names]
    if not known:
        raise RequestError("Choose at least one method to compare.")
    return known


def _warm_up(asked: Asked) -> None:
    few = METHODS["scc"](asked.clip.encoded, 0.1)
    for _ in asked.model.answer(asked.clip.encoded, few, asked.question, max_new_tokens=1):
        pass
