"""What a visitor takes home: tokens, the run, two films, the lines that repeat it.

Knows what each file holds. Leaves the tokens' layout to export.py, pixels and encoders to
draw/film.py, and the tab to export_tab.py. Every maker writes into the folder it is given.
"""

from __future__ import annotations

import base64
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import scissor
from scissor.draw.film import captioned, even, painted, write_film
from scissor.draw.overlay import view
from scissor.export import write_tokens
from scissor.scc import compress
from scissor.types import Compression
from scissor.ui.examples import WORLD, Example
from scissor.ui.figures import Look
from scissor.ui.redraw import Dial, mark, stops
from scissor.ui.store import Clip

FORMAT = "scissor-run-1"
PACKAGES = ("torch", "transformers", "gradio", "numpy")
FILM_WIDTH = 640
RATE, SWEEP_RATE, HOLD = 4, 10, 8  # films: frames a second; the sweep's last frame stands HOLD long
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Run:
    """What stands on the page. source: an example, or the name of the visitor's own file."""

    clip: Clip
    made: Compression
    dial: Dial
    frames: int
    question: str
    source: Example | str

    @property
    def name(self) -> str:
        """The clip's file name."""
        return self.source if isinstance(self.source, str) else self.source.path.name

    @property
    def stem(self) -> str:
        """What the files are called, but for their ending."""
        return f"{Path(self.name).stem[:60]}_{self.made.kept}_tokens"


def tokens_file(folder: Path, run: Run) -> Path:
    """The kept tokens with their provenance, as safetensors."""
    path = folder / f"{run.stem}.safetensors"
    write_tokens(path, run.made, run.clip.encoded, run.name)
    return path


def run_file(folder: Path, run: Run, cards: Any) -> Path:
    """Settings, counts, answers, times and versions as JSON. cards: the answers on the page."""
    path = folder / f"{run.stem}.json"
    path.write_text(json.dumps(run_facts(run, cards), indent=1) + "\n", encoding="utf-8")
    return path


def run_facts(run: Run, cards: Any) -> dict[str, Any]:
    """All of a run as plain JSON. An answer is `current` where it was made with these settings."""
    made, encoded = run.made, run.clip.encoded
    total, middle, kept = made.counts
    packages = {name: version(name) for name in PACKAGES}
    return {
        "format": FORMAT,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": {
            "clip": run.name,
            "frames": run.frames,
            "times": [round(float(t), 4) for t in encoded.times],
            "model": encoded.model,
            "question": run.question,
            run.dial.lead: run.dial.value,
        },
        "counts": {"in": total, "after_step_1": middle, "kept": kept},
        "retention": made.retention,
        "moved": made.moved,
        "tau_spatial": made.tau_spatial,
        "tau_temporal": made.tau_temporal,
        "answers": _answers(run, cards if isinstance(cards, dict) else {}),
        "seconds": {"encode": run.clip.seconds, **made.seconds},
        "versions": {
            "scissor": scissor.__version__,
            "python": platform.python_version(),
            **packages,
        },
    }


def _answers(run: Run, cards: dict[str, Any]) -> dict[str, Any]:
    """The answers to this clip; those to another are left out."""
    if cards.get("clip") != run.clip.encoded.key:
        return {}
    asked = " ".join(run.question.split()) == cards.get("question")
    found = {}
    for side in ("all", "kept"):
        card = cards.get(side) or {}
        if card.get("state") in ("done", "stopped"):
            same = side == "all" or card.get("mark") == mark(run.made)
            found[side] = {
                "question": cards.get("question"),
                "text": "".join(piece[0] for piece in card["text"]).strip(),
                "stopped": card["state"] == "stopped",
                "tokens": card["tokens"],
                "seconds_first": card["first"],
                "seconds_total": card["total"],
                "current": asked and same,
            }
    return found


def overlay_film(folder: Path, run: Run, look: Look) -> Path:
    """The frames under the view that the page shows, one after another."""
    made, clip = run.made, run.clip
    shown = view(clip.prepared, made, look.view)
    moved = made.share != made.group if look.view == "shares" else None
    total, _, kept = made.counts
    grid = clip.encoded.grid

    def frames() -> Iterator[np.ndarray]:
        for at, time in enumerate(clip.encoded.times):
            frame = painted(film_frame(clip, at), shown, at, grid, moved=moved)
            words = f"{kept:,} of {total:,} tokens kept ({made.retention:.1%}) · {time:.1f} s"
            yield even(captioned(frame, words))

    return write_film(folder, f"{run.stem}_{look.view}", frames(), RATE)


def sweep_film(folder: Path, run: Run, look: Look) -> Path:
    """One frame as the threshold falls, from a token a patch to a few groups."""
    name = look.view if look.view != "shares" else "groups"
    *fall, last = sweep_frames(run.clip, name, look.frame)
    return write_film(
        folder, f"{Path(run.name).stem[:60]}_sweep", [*fall, *[last] * HOLD], SWEEP_RATE
    )


def sweep_frames(clip: Clip, name: str, at: int) -> Iterator[np.ndarray]:
    """Frame `at` in a view's colours at every stop of the sweep, with a caption."""
    frame = film_frame(clip, at)
    for tau in stops(clip):
        made = compress(clip.prepared, tau=tau, merge=False)
        shown = view(clip.prepared, made, name)
        total, _, kept = made.counts
        words = f"threshold {tau:.3f} · {kept:,} of {total:,} tokens kept ({kept / total:.1%})"
        yield even(captioned(painted(frame, shown, at, clip.encoded.grid), words))


def film_frame(clip: Clip, at: int) -> np.ndarray:
    """Frame number `at` [H, W, 3] uint8 RGB, FILM_WIDTH wide."""
    data = base64.b64decode(clip.pictures[at].partition(",")[2])
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    height = max(32, round(FILM_WIDTH / clip.aspect))
    return cv2.resize(np.ascontiguousarray(frame), (FILM_WIDTH, height))


def recipe(run: Run) -> str:
    """Five lines of Python that repeat this run, from the folder that holds the clip."""
    first, path = "import scissor", repr(run.name)
    if isinstance(run.source, Example) and run.source.path == WORLD:
        first = "import importlib.resources, scissor"
        path = 'importlib.resources.files("gradio") / "media_assets/videos/world.mp4"'
    elif isinstance(run.source, Example) and run.source.path.is_relative_to(ROOT):
        path = repr(run.source.path.relative_to(ROOT).as_posix())
    knob = f"tau={run.made.tau_temporal!r}"
    if run.made.target == run.made.counts[0] or run.made.tau_temporal is None:
        knob = "retention=1"
    question = " ".join(run.question.split())
    return "\n".join(
        [
            first,
            f"model = scissor.load_model({run.clip.source!r})",
            f"clip = model.encode(scissor.read_video({path}, frames={run.frames}))",
            f"few = scissor.compress(clip, {knob})",
            f'print(few.counts, "".join(model.answer(clip, few, {question!r})))',
        ]
    )
