"""The page's own components: Gradio HTML blocks with markup and script from static/.

Knows which script serves which block and which server functions it may call. Leaves looks to the
style sheets and behaviour to the scripts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from scissor.decode.container import OPENED
from scissor.draw.palette import PALETTE, TINTS
from scissor.ui.theme import static
from scissor.video import Limits

CARDS = '<div class="sc-cards" role="group" aria-label="Example clips"></div>'
COLOURS = [*PALETTE, *TINTS]


def part(
    name: str,
    value: Any = None,
    *,
    markup: str = "",
    calls: tuple[str, ...] = (),
    server: tuple[Callable, ...] = (),
    elem_id: str = "",
    **props: Any,
) -> gr.HTML:
    """A block run by `scissor.<name>` of static/; calls: the events that its script triggers.

    elem_id: "sc-<name>" unless the page has it twice. Gradio offers listeners for the events that
    it finds quoted in the script.
    """
    events = ", ".join(f'"{call}"' for call in calls)
    return gr.HTML(
        value,
        elem_id=elem_id or f"sc-{name}",
        html_template=markup or static(f"{name}.html"),
        js_on_load=f"scissor.{name}(element, props, server, trigger, watch); // {events}",
        apply_default_css=False,
        server_functions=[_plain(function) for function in server] or None,
        **props,
    )


def _plain(method: Callable) -> Callable:
    """A function for a bound method: Gradio marks what it may call, and methods take no marks."""

    @wraps(method)
    def call(data: Any) -> Any:
        return method(data)

    return call


def models(listed: str) -> gr.HTML:
    """What every model needs and whether it runs here, folded away."""
    return gr.HTML(
        f"<details><summary>What they need, and what runs here</summary>{listed}</details>",
        elem_id="sc-models",
        apply_default_css=False,
    )


def story() -> gr.HTML:
    """The opening lines and the three pictures."""
    return part("story", palette=COLOURS)


def dials(value: dict[str, Any], move: Callable, scene: Callable) -> gr.HTML:
    """Numbers and dials; release: a dial was let go, lost: the server no longer has the clip."""
    return part("dials", value, calls=("release", "lost"), server=(move, scene))


def viewer(alike: Callable, weakest: Callable) -> gr.HTML:
    """The overlay; its value says which view, frame and group it shows."""
    return part("viewer", {}, server=(alike, weakest), palette=COLOURS)


def answers(value: dict[str, Any] | None) -> gr.HTML:
    """The two answers; again: the compressed side shall be asked anew."""
    return part("answers", value, calls=("again",))


def limits() -> gr.HTML:
    """What an upload may be, as video.py has it."""
    most = Limits()
    told = (
        f"{OPENED}; up to {most.bytes // 2**20} MB, {most.seconds / 60:.0f} minutes, "
        f"{most.width} × {most.height} pixels. Deleted after a while."
    )
    return gr.HTML(f"<p>{told}</p>", elem_id="sc-limits", apply_default_css=False)


def examples(cards: list[dict[str, str]]) -> gr.HTML:
    """Example clips as cards; pick: one was pressed, with its index."""
    return part("examples", None, markup=CARDS, calls=("pick",), cards=cards)


def links(question: str) -> gr.HTML:
    """The link to these settings; arrive: the page was opened by one, with its query."""
    return part("links", None, calls=("arrive",), question=question)


def strip() -> gr.HTML:
    """The sampled frames."""
    return part("strip", None, markup="<div></div>")


def status_line(text: str = "", kind: str = "") -> dict[str, str]:
    """A value of `status`. kind: "busy", "bad" or "" for plain words."""
    return {"text": text, "kind": kind}


def status(value: dict[str, str], elem_id: str = "") -> gr.HTML:
    """One line on what goes on or went wrong."""
    line = '<p role="status" aria-live="polite"></p>'
    return part("status", value, markup=line, elem_id=elem_id)


def compare() -> gr.HTML:
    """The board of the Compare tab."""
    return part("compare", None, palette=COLOURS)
