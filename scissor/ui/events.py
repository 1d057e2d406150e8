"""What the page's events do: Gradio values in, Gradio updates out, every error a sentence.

Knows what Gradio hands over and expects back. Leaves the work to desk.py, redraw.py, figures.py.
Of several updates that reach a busy browser at once only the last may be shown, so every update
repeats what still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr

from scissor.ui.desk import Desk, caution
from scissor.ui.errors import RequestError, sentence
from scissor.ui.examples import Example
from scissor.ui.figures import Look, graph_tab, tokens_tab, weakest
from scissor.ui.links import example_at, read_link
from scissor.ui.parts import status_line
from scissor.ui.redraw import Dial, alike, redraw, scene
from scissor.ui.store import Clip

GONE = {"gone": True}


def _buttons(running: bool) -> tuple[dict, dict]:
    return gr.update(visible=not running), gr.update(visible=running)


class Events:
    """The handlers of one page, over one desk."""

    def __init__(self, desk: Desk, examples: list[Example]) -> None:
        self.desk, self.examples = desk, examples

    # Called straight from the page's scripts; plain JSON both ways, never an exception.

    def move(self, data: Any) -> dict[str, Any]:
        """A dial moved: everything that changes with it."""
        return self._drawn(
            data, lambda clip, dial: redraw(clip, dial, self.desk.compression(clip, dial))
        )

    def scene(self, data: Any) -> dict[str, Any]:
        """A clip came up: everything that stays while it is shown."""
        return self._drawn(data, lambda clip, _: scene(clip))

    def alike(self, data: Any) -> dict[str, Any]:
        """A patch was pressed: its cosine to every other."""
        return self._drawn(data, lambda clip, _: alike(clip, data.get("token")))

    def weakest(self, data: Any) -> dict[str, Any]:
        """A dial came to rest: the weakest link of the largest group in sight."""

        def found(clip: Clip, dial: Dial) -> dict[str, Any]:
            look = Look.read(data, len(clip.pictures))
            return weakest(clip, self.desk.compression(clip, dial), look)

        return self._drawn(data, found)

    def _drawn(self, data: Any, draw: Callable[[Clip, Dial], dict[str, Any]]) -> dict[str, Any]:
        clip = self.desk.store.get(data.get("handle")) if isinstance(data, dict) else None
        if clip is None:
            return GONE
        try:
            return draw(clip, Dial.read(data))
        except Exception as error:
            return {"error": sentence(error)}

    # Events of Gradio's components.

    def pick(self, event: gr.EventData) -> tuple[str, str]:
        """An example was pressed: (its clip, its question)."""
        example = self.examples[int(event.index) % len(self.examples)]
        return str(example.path), example.question

    def open(
        self,
        path: str | None,
        model: str,
        frames: float,
        dials: Any,
        request: gr.Request | None = None,
    ) -> Iterator[tuple]:
        """Clip, model or frames changed: encode, keep the dial that leads.

        (the dials, the status line, Run, Stop); Stop shows while a model is loaded. Where nothing
        is loaded the buttons are let be: an answer may be under way beside this.
        """
        if not path:
            told = status_line("Choose a clip: drop one in, or press an example.")
            yield gr.skip(), told, gr.skip(), gr.skip()
            return
        stop = self.desk.begin(_opening(request))
        buttons = gr.skip(), gr.skip()
        try:
            for told in self._loading(path, model, frames, stop):
                buttons = _buttons(False)
                yield gr.skip(), told, *_buttons(True)
            busy = status_line(f"Reading and encoding {int(frames)} frames …", "busy")
            yield gr.skip(), busy, *buttons
            value = self._opened(path, model, frames, dials)
            yield value, self._said(value), *buttons
        except Exception as error:
            yield gr.skip(), status_line(sentence(error), "bad"), *buttons

    def _loading(
        self, path: str | None, model: str, frames: float, stop: Callable[[], bool]
    ) -> Iterator[dict[str, str]]:
        """The status line while a model is loaded; nothing where it is not needed."""
        clip = (path, int(frames)) if path else None
        for fraction, phrase in self.desk.load(model, stop, clip):
            yield status_line(f"{phrase} … {fraction:.0%}", "busy")

    def _said(self, dials: dict[str, Any]) -> dict[str, str]:
        """The status line when all is done: a word of caution where one is due."""
        clip = self.desk.store.get(dials.get("handle"))
        warning = caution(clip) if clip else ""
        return status_line(warning, "bad" if warning else "")

    def _opened(self, path: str, model: str, frames: float, dials: Any) -> dict[str, Any]:
        """The dials' new value; the same one where this clip is what they already stand on."""
        handle, clip = self.desk.open(path, model, int(frames))
        before = self.desk.store.get(dials.get("handle")) if isinstance(dials, dict) else None
        if before is clip:
            handle = dials["handle"]
        dial = Dial.read(dials)
        return {
            "handle": handle,
            "lead": dial.lead,
            "value": dial.value,
            "example": example_at(path, self.examples),
            "model": model,
            "frames": int(frames),
        }

    def arrive(
        self,
        path: str | None,
        question: str,
        model: str,
        frames: float,
        dials: Any,
        event: gr.EventData,
    ) -> Iterator[tuple]:
        """The page was opened by a link: (clip, question, model, frames, dials, status, what the
        link said in vain).
        """
        wish = read_link(event.query, self.examples)
        if wish.example:
            path = str(wish.example.path)
        model, frames = wish.model or model, wish.frames or frames
        question = wish.question or (wish.example.question if wish.example else question)
        dials = dials if wish.dial is None else {**(dials or {}), **asdict(wish.dial)}
        ignored = " ".join(wish.ignored)
        yield *[gr.skip()] * 5, status_line("Opening what the link shows …", "busy"), ignored
        try:
            for told in self._loading(path, model, frames, lambda: False):
                yield *[gr.skip()] * 5, told, ignored
            dials = self._opened(path, model, frames, dials)
            told = self._said(dials)
        except Exception as error:
            dials, told = gr.skip(), status_line(sentence(error), "bad")
        yield path if wish.example else gr.skip(), question, model, frames, dials, told, ignored

    def run(
        self,
        path: str | None,
        question: str,
        model: str,
        frames: float,
        dials: Any,
        request: gr.Request,
    ) -> Iterator[tuple]:
        """Run: (both answers as they grow, the dials, the status line, Run, Stop)."""
        stop = self.desk.begin(request.session_hash)
        cards: Any = gr.skip()
        busy, idle = _buttons(True), _buttons(False)
        try:
            yield cards, gr.skip(), status_line("Reading the clip …", "busy"), *busy
            for told in self._loading(None, model, frames, stop) if path else ():
                yield cards, gr.skip(), told, *busy
            value = (
                self._opened(path, model, frames, dials) if path else self.desk.open(path, "", 1)
            )
            clip = self.desk.store.get(value["handle"])
            first = status_line("Answering: first from the kept tokens …", "busy")
            yield cards, value, first, *busy  # not again: a visitor may turn the dials meanwhile
            for cards in self.desk.answers(clip, Dial.read(value), question, stop):
                yield cards, gr.skip(), _progress(cards), *busy
            yield cards, gr.skip(), self._said(value), *idle
        except Exception as error:
            yield cards, gr.skip(), status_line(sentence(error), "bad"), *idle

    def again(self, dials: Any, cards: Any, request: gr.Request) -> Iterator[tuple]:
        """Ask again: only the compressed side, where the dials stand now."""
        stop = self.desk.begin(request.session_hash)
        told = status_line("Answering from the kept tokens …", "busy")
        value: Any = gr.skip()
        busy, idle = _buttons(True), _buttons(False)
        try:
            clip = self.desk.store.get(dials.get("handle"))
            if clip is None:
                raise RequestError("This clip has left the server's memory. Press Run.")
            yield value, gr.skip(), told, *busy
            for value in self.desk.answer_again(clip, Dial.read(dials), cards or {}, stop):
                yield value, gr.skip(), told, *busy
            yield value, gr.skip(), self._said(dials), *idle
        except Exception as error:
            yield value, gr.skip(), status_line(sentence(error), "bad"), *idle

    def stop(self, request: gr.Request) -> None:
        """Stop whatever this visitor's page has running."""
        self.desk.stop(request.session_hash)
        self.desk.stop(_opening(request))

    def figures(self, tab: str, dials: Any, look: Any, layout: str, every: bool) -> list:
        """The figures of the tab in sight: (line, graph, funnel, a frame, groups, curve)."""
        out: list = [gr.skip()] * 6
        clip = self.desk.store.get(dials.get("handle")) if isinstance(dials, dict) else None
        if clip is None or tab not in ("graph", "tokens"):
            return out
        try:
            made = self.desk.compression(clip, Dial.read(dials))
            if tab == "tokens":
                return out[:2] + list(tokens_tab(clip, made))
            seen = Look.read(look, len(clip.pictures))
            return [*graph_tab(clip, made, seen, layout, bool(every)), *out[2:]]
        except Exception as error:
            gr.Warning(sentence(error))
            return out


def _opening(request: gr.Request | None) -> str:
    """What a visitor's opening of a clip is stopped by; their answers go by another name."""
    return f"opening {request.session_hash if request else None}"


def _progress(cards: dict[str, Any]) -> dict[str, str]:
    side = "all tokens" if cards["kept"]["state"] in ("done", "stopped") else "the kept tokens"
    return status_line(f"Answering from {side} …", "busy")
