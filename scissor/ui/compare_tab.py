"""What stands in the Compare tab, and which of its events calls what.

Knows Gradio. Leaves asking to compare.py, drawing to static/compare.js and draw/charts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from scissor.draw.drift import drift_chart
from scissor.fidelity import Point, Probe, Smallest
from scissor.methods import METHODS
from scissor.ui import parts
from scissor.ui.compare import Comparison
from scissor.ui.desk import Desk
from scissor.ui.errors import RequestError, sentence
from scissor.ui.store import Clip

FIRST = ("scc", "fastv", "visionzip", "pllava", "frames", "random")
RETENTIONS = (0.5, 0.35, 0.2, 0.1, 0.05)  # of the charts
CHARTS = {"retention": "tokens kept", "flops": "prefill operations"}
LOWER = "Lower is better; the methods chosen above, on the question on the left."
DRIFT = (
    "Drift: how far the next word's probabilities move from those of all tokens; 0 is not at all."
)


class CompareEvents:
    """The handlers of the tab, over one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.comparison = desk, Comparison(desk)

    def compare(
        self, dials: Any, question: str, names: list[str], percent: float, request: gr.Request
    ) -> Iterator[tuple]:
        """Compare was pressed: (the board as it fills, the status line, Compare, Stop)."""

        def work(clip: Clip, stop: Callable[[], bool]) -> Iterator[tuple]:
            for board in self.comparison.boards(clip, question, names, percent / 100, stop):
                yield board, _progress(board)

        yield from self._guarded(dials, request, work)

    def chart(
        self, dials: Any, question: str, names: list[str], request: gr.Request
    ) -> Iterator[tuple]:
        """Draw was pressed: (both charts as they fill, the status line, the buttons)."""

        def work(clip: Clip, stop: Callable[[], bool]) -> Iterator[tuple]:
            yield ([], 0), "The answer from all tokens …"
            points: list[Point] = []
            for point, full in self.comparison.points(clip, question, names, RETENTIONS, stop):
                points += [] if point is None else [point]
                yield (points, full), _measured(points)
            yield (points, full), DRIFT

        for drawn, *rest in self._guarded(dials, request, work):
            if isinstance(drawn, tuple) and drawn[0]:
                yield drift_chart(drawn[0]), drift_chart(*drawn), *rest
            else:
                yield gr.skip(), gr.skip(), *rest

    def smallest(self, dials: Any, question: str, request: gr.Request) -> Iterator[tuple]:
        """Smallest retention was pressed: (the dials at it, the status line, the buttons)."""

        def work(clip: Clip, stop: Callable[[], bool]) -> Iterator[tuple]:
            yield gr.skip(), "The answer from all tokens …"
            for found in self.comparison.smallest(clip, question, stop):
                if isinstance(found, Smallest):
                    stand = {"lead": "retention", "value": found.kept / found.total}
                    yield dials | stand, _found(found)
                else:
                    yield gr.skip(), _tried(found)

        yield from self._guarded(dials, request, work)

    def stop(self, request: gr.Request) -> None:
        """Stop what this visitor's tab has running."""
        self.desk.stop(_session(request))

    def _guarded(self, dials: Any, request: gr.Request, work: Callable) -> Iterator[tuple]:
        """(result, status, three buttons, Stop) while work goes on; an error is the status.

        Every update repeats what still holds, as in events.py.
        """
        stop = self.desk.begin(_session(request))
        idle, busy = _buttons(True), _buttons(False)
        result: Any = gr.skip()
        try:
            clip = self.desk.store.get(dials.get("handle")) if isinstance(dials, dict) else None
            if clip is None:
                raise RequestError("This clip has left the server's memory. Press Run, then again.")
            said = "Starting …"
            yield result, parts.status_line(said, "busy"), *busy
            for result, said in work(clip, stop):
                yield result, parts.status_line(said, "busy"), *busy
            yield result, parts.status_line("Stopped." if stop() else said), *idle
        except Exception as error:
            yield result, parts.status_line(sentence(error), "bad"), *idle


def _buttons(idle: bool) -> list[dict]:
    return [gr.update(interactive=idle)] * 3 + [gr.update(visible=not idle)]


def _session(request: gr.Request) -> str:
    return f"{request.session_hash}/compare"


def _measured(points: list[Point]) -> str:
    if not points:
        return "The answer from all tokens …"
    return f"Drift of {METHODS[points[-1].method].title} at {points[-1].retention:.0%} …"


def _tried(probe: Probe) -> str:
    kept = f"{probe.retention:.1%} ({probe.kept:,} tokens)"
    return f"{kept}: {'the same answer' if probe.same else 'another answer'} …"


def _found(found: Smallest) -> str:
    """The search's outcome in a sentence."""
    kept = f"{found.kept:,} of {found.total:,} tokens ({found.kept / found.total:.1%})"
    if found.retention == 1:
        return f"Every smaller number of tokens that was tried changes the answer: {kept}."
    return (
        f"The smallest found that keeps the answer to the letter: {kept}, after "
        f"{found.prefills} answers. The dials stand there now."
    )


def _progress(board: dict[str, Any]) -> str:
    left = [
        row["title"] for row in board["rows"] if row["state"] in ("waiting", "reading", "running")
    ]
    return (
        f"Answering: {left[0]} ({len(board['rows']) - len(left) + 1} of {len(board['rows'])}) …"
        if left
        else "Done."
    )


def build() -> dict[str, gr.Component]:
    """The tab's components, inside the gr.Tab that is open."""
    found: dict[str, gr.Component] = {}
    with gr.Column(elem_id="sc-compare-form"):
        found["names"] = gr.CheckboxGroup(
            [(method.title, name) for name, method in METHODS.items()],
            value=[name for name in FIRST if name in METHODS],
            label="Methods",
            info="Each answers the question on the left from the same share of the clip's tokens.",
        )
        with gr.Row(elem_id="sc-compare-row"):
            found["percent"] = gr.Slider(
                5,
                100,
                10,
                step=1,
                label="Retention, %",
                info="The share of tokens that every method may keep.",
            )
            found["run"] = gr.Button("Compare", variant="primary", elem_id="sc-compare-run")
            found["draw"] = gr.Button("Draw drift against retention", elem_id="sc-compare-draw")
            found["find"] = gr.Button("Smallest retention that keeps the answer", elem_id="sc-find")
            found["stop"] = gr.Button("Stop", visible=False, elem_id="sc-compare-stop")
        found["status"] = parts.status({}, elem_id="sc-compare-status")
    found["board"] = parts.compare()
    with gr.Row(elem_id="sc-drift"):  # folded by compare.css while empty
        for name, title in CHARTS.items():
            with gr.Column(elem_classes="sc-chart"):
                gr.HTML(f"<h2>Drift against {title}</h2><p>{LOWER}</p>", apply_default_css=False)
                found[name] = gr.Plot(show_label=False, elem_id=f"sc-drift-{name}")
    return found


def wire(desk: Desk, tab: dict[str, gr.Component], dials: gr.HTML, question: gr.Textbox) -> None:
    """What the tab's buttons do; `dials` is read, and set by the search for a retention."""
    events = CompareEvents(desk)
    how = {"api_visibility": "private", "show_progress": "hidden"}
    how |= {"concurrency_id": "model", "concurrency_limit": 1}
    told = [tab[name] for name in ("status", "run", "draw", "find", "stop")]
    asked = [dials, question]
    names = tab["names"]
    tab["run"].click(events.compare, [*asked, names, tab["percent"]], [tab["board"], *told], **how)
    charts = [tab["retention"], tab["flops"]]
    tab["draw"].click(events.chart, [*asked, names], [*charts, *told], **how)
    tab["find"].click(events.smallest, asked, [dials, *told], **how)
    tab["stop"].click(events.stop, None, None, queue=False, api_visibility="private")
