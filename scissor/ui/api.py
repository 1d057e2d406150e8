"""Named endpoints: what the page does, for programs. Typed, small results.

Knows names, types and limits of the endpoints. Leaves the work to desk.py. Clips come as Gradio
file inputs, so that a path the caller did not upload is refused before anything reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from scissor.ui.desk import MOST_WORDS, Desk, check_model, last
from scissor.ui.errors import RequestError, sentence
from scissor.ui.redraw import Dial, fewer_flops
from scissor.ui.store import Clip

SIDE = {
    "text": "string",
    "tokens": "integer",
    "seconds_first": "number",
    "seconds_total": "number",
}
COUNTS = {
    "tokens_in": "integer",
    "after_step_1": "integer",
    "kept": "integer",
    "retention": "number",
    "tau": "number",
    "fewer_flops": "number",
}


def _result(fields: dict[str, Any], label: str) -> gr.JSON:
    """A JSON result whose fields are known: {name: JSON type, or a nested dict of the same}."""
    result = gr.JSON(label=label, visible=False)
    result.api_info = lambda: _schema(fields)  # a subclass would make Gradio write a stub file
    return result


def _schema(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: _schema(kind) if isinstance(kind, dict) else {"type": kind}
            for name, kind in fields.items()
        },
    }


class Endpoints:
    """The functions behind the endpoints, over one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def encode(self, clip: str, frames: float = 16, model: str = "mini") -> dict[str, Any]:
        """Encode a clip: how many visual tokens the model makes of it, and how long that took."""
        opened = self._open(clip, frames, model)
        steps, tokens, width = opened.encoded.tokens.shape
        return {
            "model": opened.encoded.model,
            "frames": steps,
            "rows": opened.encoded.grid[0],
            "columns": opened.encoded.grid[1],
            "tokens": steps * tokens,
            "width": width,
            "seconds": round(opened.seconds, 3),
        }

    def compress(
        self,
        clip: str,
        frames: float = 16,
        retention: float | None = None,
        tau: float | None = None,
        model: str = "mini",
    ) -> dict[str, Any]:
        """Compress a clip's tokens to a retention in (0, 1], or at a threshold tau in [-1, 1].

        Give one of the two; without either the retention is 0.1. Returns the counts after each
        step, the threshold used, and how many times fewer operations the prefill takes.
        """
        opened = self._open(clip, frames, model)
        made = self.desk.compression(opened, _dial(retention, tau))
        total, middle, kept = made.counts
        return {
            "tokens_in": total,
            "after_step_1": middle,
            "kept": kept,
            "retention": round(made.retention, 6),
            "tau": 1.0 if made.tau_temporal is None else round(made.tau_temporal, 7),
            "fewer_flops": round(fewer_flops(opened.encoded.model, total, kept) or 0, 2),
        }

    def answer(
        self,
        clip: str,
        question: str,
        frames: float = 16,
        retention: float = 0.1,
        model: str = "mini",
    ) -> dict[str, Any]:
        """Ask about a clip twice: from all its tokens, and from the few that the retention keeps.

        For either answer: its text, the visual tokens it read, seconds to the first word (compress
        and prefill; encoding is shared and not in it) and in all.
        """
        opened = self._open(clip, frames, model)
        try:
            dial = _dial(retention, None)
            cards = last(self.desk.answers(opened, dial, question, lambda: False))
        except Exception as error:
            raise gr.Error(sentence(error), print_exception=False) from None
        return {side: _plain(cards[side]) for side in ("all", "kept")}

    def _open(self, clip: str, frames: float, model: str) -> Clip:
        try:
            check_model(model)  # the catalog's alone, wherever the page runs
            return self.desk.open(clip, model, int(frames))[1]
        except Exception as error:
            raise gr.Error(sentence(error), print_exception=False) from None


def _dial(retention: float | None, tau: float | None) -> Dial:
    try:
        if retention is not None and tau is not None:
            raise RequestError("Give either a retention or a threshold tau, not both.")
        if tau is not None and not -1 <= tau <= 1:
            raise RequestError(f"The threshold tau is a cosine, from -1 to 1, not {tau}.")
        if retention is not None and not 0 < retention <= 1:
            raise RequestError(f"The retention must be above 0 and at most 1, not {retention}.")
    except RequestError as error:
        raise gr.Error(str(error), print_exception=False) from None
    return Dial("tau", tau) if tau is not None else Dial("retention", retention or 0.1)


def _plain(card: dict[str, Any]) -> dict[str, Any]:
    return {
        "text": "".join(piece[0] for piece in card["text"]).strip(),
        "tokens": card["tokens"],
        "seconds_first": None if card["first"] is None else round(card["first"], 3),
        "seconds_total": round(card["total"], 3),
    }


def publish(desk: Desk) -> None:
    """Add the endpoints /encode, /compress and /answer to the Blocks being built."""
    ends = Endpoints(desk)
    clip = gr.File(label="clip", type="filepath", visible=False)
    frames = gr.Number(16, label="frames", precision=0, visible=False)
    retention = gr.Number(None, label="retention", visible=False)
    share = gr.Number(0.1, label="retention", visible=False)
    tau = gr.Number(None, label="tau", visible=False)
    model = gr.Textbox("mini", label="model", visible=False)
    question = gr.Textbox(
        "What objects appear in the video?",
        label="question",
        info=f"answered in at most {MOST_WORDS} tokens",
        visible=False,
    )
    size = dict.fromkeys(("frames", "rows", "columns", "tokens", "width"), "integer")
    table: tuple[tuple[Callable, list, gr.JSON], ...] = (
        (
            ends.encode,
            [clip, frames, model],
            _result({"model": "string"} | size | {"seconds": "number"}, "encoded"),
        ),
        (ends.compress, [clip, frames, retention, tau, model], _result(COUNTS, "compressed")),
        (
            ends.answer,
            [clip, question, frames, share, model],
            _result({"all": SIDE, "kept": SIDE}, "answers"),
        ),
    )
    for function, inputs, output in table:
        gr.Button(visible=False).click(
            function,
            inputs,
            output,
            api_name=function.__name__,
            concurrency_id="model",
            concurrency_limit=1,
        )
