"""What the page and its endpoints can do for a visitor, without Gradio.

Knows how a clip becomes a handle, a dial a compression, a question two answers. Leaves the wire
format to redraw.py and cards.py, and layout and events to page.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scissor.models import RANDOM_LABEL, Answer, ask, ask_both, catalog
from scissor.scc import compress
from scissor.types import Compression
from scissor.ui import cards
from scissor.ui.errors import RequestError
from scissor.ui.fetch import fetched
from scissor.ui.menu import local_models
from scissor.ui.redraw import Dial, compress_at, mark
from scissor.ui.store import ByteCache, Clip, Shelf, Store, encode
from scissor.video import content_key, read_video

COMPRESSION_BYTES = 128 * 2**20
LONGEST_QUESTION = 500
MOST_WORDS = 64  # tokens an answer may have


class Desk:
    """Serves all visitors: one model in memory, encoded clips behind handles."""

    def __init__(self, store: Store | None = None, shelf: Shelf | None = None) -> None:
        self.store = store or Store()
        self.shelf = shelf or Shelf()
        self._made: ByteCache[Compression] = ByteCache(COMPRESSION_BYTES, _bytes)
        self._stops: ByteCache[threading.Event] = ByteCache(1024, lambda _: 1)

    def open(self, path: str | Path | None, model: str, frames: int) -> tuple[str, Clip]:
        """Encode a clip, or find it encoded, and hand out a handle.

        Raises RequestError, VideoError or ModelError with a sentence for the visitor.
        """
        if not path:
            raise RequestError("Choose a clip first: drop one in, or press an example.")
        check_choice(model)
        key = _key(path, model, frames)
        clip = self.store.find(key)
        if clip is None:
            video = read_video(path, frames=frames)
            with self.shelf.lock:
                taken = self.shelf.take(model)
                if len(video.frames) > taken.max_frames:
                    raise RequestError(
                        f"{taken.name} reads at most {taken.max_frames} frames: take fewer."
                    )
                clip = encode(taken, video, model)
        return self.store.hand_out(key, clip), clip

    def load(
        self, model: str, stop: Callable[[], bool], clip: tuple[str | Path, int] | None = None
    ) -> Iterator[tuple[float, str]]:
        """Get a model ready: yield how far that is, nothing if it is in memory.

        clip: (path, frames) for whose tokens alone it is wanted; if they are held, nothing is done.
        Raises RequestError or ModelError with a sentence, Cancelled once `stop` holds.
        """
        check_choice(model)
        if clip is not None and self.store.find(_key(clip[0], model, clip[1])) is not None:
            return
        if not self.shelf.holds(model):
            yield from fetched(self.shelf, model, stop)

    def compression(self, clip: Clip, dial: Dial) -> Compression:
        """The compression at a dial's position, kept for the figures and answers that follow."""
        key = clip.encoded.key, dial
        made = self._made.get(key)
        if made is None:
            made = compress_at(clip, dial)
            self._made.put(key, made)
        return made

    def answers(
        self, clip: Clip, dial: Dial, question: str, stop: Callable[[], bool]
    ) -> Iterator[dict[str, Any]]:
        """Both answers' cards as they grow, the compressed one first, never both at once."""
        question = checked(question)
        made = self.compression(clip, dial)
        sides: dict[str, Answer | None] = {"kept": None, "all": None}
        with self.shelf.lock:
            model = self.shelf.take(clip.source)
            told = clip.encoded.key, question
            yield cards.board(*told, None, None, mark(made), clip.seconds)
            for side, answer in ask_both(
                model,
                clip.encoded,
                compressor(clip, made),
                question,
                max_new_tokens=MOST_WORDS,
                stop=stop,
            ):
                sides[side] = answer
                yield cards.board(*told, sides["kept"], sides["all"], mark(made), clip.seconds)

    def answer_again(
        self, clip: Clip, dial: Dial, value: dict[str, Any], stop: Callable[[], bool]
    ) -> Iterator[dict[str, Any]]:
        """The cards with only the compressed side asked anew, at the dial's position."""
        question = checked(value.get("question"))
        made = self.compression(clip, dial)
        with self.shelf.lock:
            model = self.shelf.take(clip.source)
            limits = {"max_new_tokens": MOST_WORDS, "stop": stop}
            for answer in ask(model, clip.encoded, compressor(clip, made), question, **limits):
                yield cards.again(value, answer, mark(made))

    def begin(self, session: str) -> Callable[[], bool]:
        """Start something that the session may stop; returns what to ask before every token."""
        event = threading.Event()
        self._stops.put(session, event)
        return event.is_set

    def stop(self, session: str) -> None:
        """End what the session started last."""
        event = self._stops.get(session)
        if event is not None:
            event.set()


def check_choice(name: Any) -> None:
    """As check_model; where the page serves this machine alone, any folder or repository passes."""
    known = any(name == entry.name for entry in catalog.ENTRIES)
    if known or not (isinstance(name, str) and name.strip() and local_models()):
        check_model(name)


def caution(clip: Clip) -> str:
    """What to say of a clip's model before its answers are believed; empty for most."""
    if not clip.encoded.model.endswith(RANDOM_LABEL):
        return ""
    return f"{clip.encoded.model}: made for tests, its answers mean nothing."


def _key(path: str | Path, model: str, frames: int) -> str:
    return f"{content_key(path)}/{frames}/{model}"


def check_model(name: str) -> None:
    """Raise RequestError unless it is a model of the catalog that can run here.

    Visitors name models from outside: no other repository or folder may be loaded for them.
    """
    entry = next((e for e in catalog.ENTRIES if e.name == name), None)
    if entry is None:
        known = ", ".join(e.name for e in catalog.ENTRIES)
        raise RequestError(f"There is no model of that name; choose one of {known}.")
    reason = catalog.why_not(entry)
    if reason:
        raise RequestError(f"{entry.title} cannot answer here. {reason} Choose another model.")


def compressor(clip: Clip, made: Compression) -> Callable[[], Compression]:
    """What the clock of an answer runs over: the whole compression, from the encoded tokens on.

    The threshold is known by then; searching for it is the dial's work and not counted.
    """
    if made.target == made.counts[0]:  # everything was asked for: nothing is merged
        return lambda: compress(clip.encoded, retention=1.0)
    return lambda: compress(clip.encoded, tau=made.tau_temporal)


def checked(question: Any) -> str:
    """The visitor's question, trimmed. Raises RequestError if it is missing or too long."""
    text = " ".join(question.split()) if isinstance(question, str) else ""
    if not text:
        raise RequestError("Type a question about the clip first.")
    if len(text) > LONGEST_QUESTION:
        raise RequestError(f"Shorten the question to {LONGEST_QUESTION} characters.")
    return text


def _bytes(made: Compression) -> int:
    return sum(t.nbytes for t in (made.tokens, made.spatial, made.group, made.share, made.place))


def last(cards_so_far: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The cards when all is said."""
    cards_now: dict[str, Any] = {}
    for cards_now in cards_so_far:  # noqa: B007 - the last one is wanted
        pass
    return cards_now
