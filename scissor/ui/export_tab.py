"""The Export tab: what stands in it, and what its buttons do.

Knows Gradio. Leaves what the files hold to exports.py. A file is handed to Gradio, which copies it
and deletes the copy after a while; what was written here is gone when the event ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from scissor.ui.desk import Desk
from scissor.ui.errors import RequestError, sentence
from scissor.ui.examples import Example
from scissor.ui.exports import Run, overlay_film, recipe, run_file, sweep_film, tokens_file
from scissor.ui.figures import Look
from scissor.ui.links import example_at, name_of
from scissor.ui.redraw import Dial

SAVE = """(file) => {
  if (file?.url) Object.assign(document.createElement('a'),
    { href: file.url, download: file.orig_name || '' }).click();
  return [];
}"""
WORDS = {
    "tokens": (
        "Tokens",
        "The kept tokens with where each came from: safetensors, read again by "
        "<code>scissor.read_tokens</code>.",
        "Save tokens",
    ),
    "run": ("Run", "Settings, counts, answers, times and versions: JSON.", "Save run"),
    "overlay": (
        "Overlay",
        "The sampled frames in the colours of the view that the Overlay tab shows.",
        "Make film",
    ),
    "sweep": (
        "Falling threshold",
        "The frame that the Overlay tab shows, from a token a patch to a few groups.",
        "Make film",
    ),
}


def export_tab() -> dict[str, Any]:
    """Four cards and the five lines, in the tab being built."""
    found: dict[str, Any] = {}
    with gr.Column(elem_id="sc-export"):
        for name, (title, line, button) in WORDS.items():
            film = button == "Make film"
            with gr.Column(elem_classes="sc-chart"):
                gr.HTML(f"<h2>{title}</h2><p>{line}</p>", apply_default_css=False)
                found[name] = gr.Button(button, size="sm", elem_id=f"sc-save-{name}")
                found[f"{name}_file"] = (
                    gr.Video(
                        show_label=False,
                        elem_id=f"sc-{name}-film",
                        interactive=False,
                        visible=False,
                        height=260,
                    )
                    if film
                    else gr.File(visible=False)
                )
    found["recipe"] = gr.Code(
        language=None,  # its highlighting is too pale to read on white
        label="The same run in Python, from the repository’s folder",
        lines=5,
        interactive=False,
        elem_id="sc-recipe",
    )
    return found


class Exports:
    """The handlers of the tab, over one desk."""

    def __init__(self, desk: Desk, examples: list[Example]) -> None:
        self.desk, self.examples = desk, examples

    def run(self, path: str | None, question: str, dials: Any) -> Run:
        """What stands on the page. Raises RequestError where the clip is gone."""
        dials = dials if isinstance(dials, dict) else {}
        clip = self.desk.store.get(dials.get("handle"))
        if clip is None or not path:
            raise RequestError("This clip has left the server's memory. Press Run, then save.")
        known = {name_of(example): example for example in self.examples}
        source = known.get(example_at(path, self.examples)) or Path(path).name
        dial = Dial.read(dials)
        frames = dials.get("frames")
        frames = frames if isinstance(frames, int) else len(clip.encoded.times)
        made = self.desk.compression(clip, dial)
        return Run(clip, made, dial, frames, question or "", source)

    def lines(self, *page: Any) -> str:
        """The five lines; empty where there is nothing to repeat."""
        try:
            return recipe(self.run(*page))
        except Exception as error:
            return f"# {sentence(error)}"

    def file(self, make: Callable[[Path, Run], Path], *page: Any) -> Iterator[Any]:
        """Write a file, hand it over, delete it."""
        yield from self._handed(lambda folder: make(folder, self.run(*page)))

    def facts(self, cards: Any, *page: Any) -> Iterator[Any]:
        """The run as JSON."""
        yield from self._handed(lambda folder: run_file(folder, self.run(*page), cards))

    def film(self, make: Callable, look: Any, *page: Any) -> Iterator[Any]:
        """Make a film of what the Overlay tab shows."""

        def write(folder: Path) -> Path:
            run = self.run(*page)
            return make(folder, run, Look.read(look, len(run.clip.pictures)))

        yield from self._handed(write, visible=True)

    def _handed(self, write: Callable[[Path], Path], **shown: Any) -> Iterator[Any]:
        with TemporaryDirectory(prefix="scissor-") as folder:
            try:
                yield gr.update(value=str(write(Path(folder))), **shown)
            except Exception as error:
                gr.Warning(sentence(error))
                yield gr.update(value=None)


def wire(exports: Exports, left: dict, right: dict, tab: gr.Tab, private: dict) -> None:
    """Buttons to files; the lines follow the page while the tab is in sight."""
    found, page = right["export"], [left["video"], left["question"], right["dials"]]
    writing = {**private, "concurrency_id": "export", "concurrency_limit": 2}
    makers: dict[str, tuple[Callable, list]] = {
        "tokens": (partial(exports.file, tokens_file), page),
        "run": (exports.facts, [right["answers"], *page]),
        "overlay": (partial(exports.film, overlay_film), [right["viewer"], *page]),
        "sweep": (partial(exports.film, sweep_film), [right["viewer"], *page]),
    }
    for name, (make, source) in makers.items():
        file = found[f"{name}_file"]
        shown = {"show_progress": "full"} if name in ("overlay", "sweep") else {}
        pressed = found[name].click(make, source, file, **{**writing, **shown})
        if not shown:
            pressed.then(None, file, None, js=SAVE)
    gr.on(
        [tab.select, right["dials"].release, right["dials"].change, left["question"].change],
        exports.lines,
        page,
        found["recipe"],
        queue=False,
        trigger_mode="always_last",
        **private,
    )
