"""The Live tab: a camera's frames in, overlay and counts out, a question answered about them.

Knows which function the tab's script calls and which event asks. Leaves streams to streams.py,
answers to models/ask.py, the camera and drawing to static/live.js.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from scissor.models import ask_both
from scissor.types import Compression, Encoded, Video
from scissor.ui import cards
from scissor.ui.desk import MOST_WORDS, Desk, checked
from scissor.ui.errors import RequestError, sentence
from scissor.ui.parts import COLOURS, part
from scissor.ui.streams import IDLE, Streams, read_frame, threshold

MODEL = "mini"  # quick enough for two frames a second on two cores
PATIENCE = 0.5  # seconds that a frame waits for the model, which may be answering someone
BUSY = {"busy": True}


class Live:
    """The tab's functions, over one desk's model."""

    def __init__(self, desk: Desk, streams: Streams | None = None) -> None:
        self.desk = desk
        self.streams = Streams() if streams is None else streams

    # Called straight from the tab's script; plain JSON both ways, never an exception.

    def frame(self, data: Any) -> dict[str, Any]:
        """The next frame: {"handle", "tau", "jpeg"}, without a handle a new stream's first.

        Returns what to draw, {"busy"} if the frame was dropped, {"gone"} if the stream was
        forgotten, or {"error"} with a sentence.
        """
        try:
            return self._frame(data if isinstance(data, dict) else {})
        except Exception as error:
            return {"error": sentence(error)}

    def end(self, data: Any) -> None:
        """The visitor has no more use for a stream: {"handle"}."""
        self.streams.end(data.get("handle") if isinstance(data, dict) else None)

    def _frame(self, data: dict[str, Any]) -> dict[str, Any]:
        picture, tau = read_frame(data.get("jpeg")), threshold(data.get("tau"))
        handle = data.get("handle")
        if handle is None:
            handle, stream = self.streams.start(tau)
        else:
            stream = self.streams.get(handle)
        if stream is None:
            return {"gone": True}
        if not stream.lock.acquire(blocking=False):
            return BUSY
        try:
            encoded = self._encoded(picture)
            if encoded is None:
                return {"handle": handle} | BUSY
            return {"handle": handle} | stream.push(encoded.tokens[0], encoded.grid, tau)
        finally:
            stream.lock.release()

    def _encoded(self, picture: np.ndarray) -> Encoded | None:
        """The tokens of one frame; None if the model is taken for longer than PATIENCE."""
        shelf = self.desk.shelf
        if not shelf.lock.acquire(timeout=PATIENCE):
            return None
        try:
            frame = Video(picture[None], np.zeros(1), 0.0, "camera", "")
            return shelf.take(MODEL).encode(frame)
        finally:
            shelf.lock.release()

    # Events of Gradio's component.

    def ask(self, value: Any, request: gr.Request) -> Iterator[dict[str, Any]]:
        """Both answers about what was just seen; the tab's value with the cards as they grow."""
        value = value if isinstance(value, dict) else {}
        asked = {name: value.get(name) for name in ("handle", "question")}
        stop, board = self.desk.begin(_session(request)), {}
        try:
            stream = self.streams.get(asked["handle"])
            if stream is None:
                raise RequestError(
                    "Nothing was seen lately. Start the camera, wait a moment, then ask."
                )
            yield asked | {"running": True}
            question = checked(asked["question"])
            with self.desk.shelf.lock:
                with stream.lock:
                    read = stream.read(MODEL)
                for board in self._answers(*read, question, stop):
                    yield asked | {"running": True, "cards": board}
            yield asked | {"running": False, "cards": board}
        except Exception as error:
            yield asked | {"running": False, "error": sentence(error)}

    def _answers(
        self, encoded: Encoded, made: Compression, past: int, question: str, stop: Any
    ) -> Iterator[dict[str, Any]]:
        """Both cards; the kept tokens are at hand already, so there is nothing to compress."""
        model = self.desk.shelf.take(MODEL)
        limits = {"max_new_tokens": MOST_WORDS, "stop": stop}
        sides: dict[str, Any] = {"kept": None, "all": None}
        told = encoded.key, question
        yield cards.board(*told, None, None, "", 0.0) | {"past": past}
        for side, answer in ask_both(model, encoded, lambda: made, question, **limits):
            sides[side] = answer
            yield cards.board(*told, sides["kept"], sides["all"], "", 0.0) | {"past": past}

    def hush(self, request: gr.Request) -> None:
        """End the visitor's answers."""
        self.desk.stop(_session(request))


def _session(request: gr.Request) -> str:
    return f"live {request.session_hash}"  # Stop beside Run ends the clip's answers, not these


def place(desk: Desk) -> gr.HTML:
    """Put the tab's component into the Blocks being built and wire its events."""
    live = Live(desk)
    shown = part(
        "live",
        {},
        calls=("ask", "hush"),
        server=(live.frame, live.end),
        palette=COLOURS,
        minutes=IDLE / 60,
    )
    private = {"api_visibility": "private", "show_progress": "hidden"}
    shown.ask(live.ask, shown, shown, concurrency_id="model", concurrency_limit=1, **private)
    shown.hush(live.hush, None, None, queue=False, **private)
    return shown
