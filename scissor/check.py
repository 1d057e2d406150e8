"""Does a checkpoint answer here as it should? A report for people who have its weights.

Knows what is compared and how the report is written: transformers' own path beside ours with
nothing removed, then answers from fewer tokens. Leaves loading and answering to models/.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from scissor import __version__
from scissor.models import Answer, VideoLLM, ask, load_model, pick_device, pick_dtype
from scissor.scc import compress
from scissor.types import Encoded, Video
from scissor.video import read_video

CLIP = Path(__file__).parents[1] / "assets" / "clips" / "big_buck_bunny.mp4"
QUESTION = "What happens in the video?"
RETENTIONS = (1.0, 0.5, 0.1)


@dataclass(frozen=True, eq=False)
class Report:
    """What a check found.

    native, ours: token ids with nothing removed. gap: the largest difference of the first token's
    log-probabilities. answers: by retention, greedy. seconds: of loading and of encoding.
    """

    model: str
    clip: str
    question: str
    native: list[int]
    ours: list[int]
    gap: float
    answers: dict[float, Answer]
    seconds: dict[str, float]
    machine: dict[str, str]

    @property
    def equal(self) -> bool:
        """Whether both paths gave the same ids."""
        return self.native == self.ours

    def text(self) -> str:
        """The report in Markdown, to paste into a discussion."""
        rows = {"model": self.model, **self.machine, "clip": self.clip, "question": self.question}
        rows |= {name: f"{seconds:.1f} s" for name, seconds in self.seconds.items()}
        rows["nothing removed"] = self._verdict()
        lines = ["### scissor check", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {_cell(value)} |" for name, value in rows.items()]
        lines += ["", "| tokens | first word | total | answer |", "|---|---|---|---|"]
        lines += [_row(retention, answer) for retention, answer in self.answers.items()]
        return "\n".join(lines)

    def _verdict(self) -> str:
        gap = f"log-probabilities of the first token within {self.gap:.1e}"
        if self.equal:
            return f"the {len(self.ours)} token ids of transformers' own path; {gap}"
        pairs = zip(self.native, self.ours, strict=False)
        at = next(
            (i for i, (a, b) in enumerate(pairs) if a != b), min(len(self.native), len(self.ours))
        )
        return (
            f"OTHER token ids than transformers' own path, from token {at + 1} on; {gap}. "
            "In half precision rounding can do this: check again with --dtype float32"
        )


def check(
    name: str,
    *,
    clip: str | Path = CLIP,
    frames: int = 16,
    question: str = QUESTION,
    max_new_tokens: int = 32,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    four_bit: bool = False,
    tell: Callable[[str], object] = lambda line: None,
) -> Report:
    """Load a model as load_model does, compare it with transformers' own path, ask it.

    tell: hears what is going on. Raises ModelError or VideoError with a sentence.
    """
    how = {"device": device, "dtype": dtype, "four_bit": four_bit}
    started = perf_counter()
    model = load_model(name, **how, progress=lambda fraction, phrase: tell(phrase))
    loaded = perf_counter()
    tell("Encoding the clip")
    video = read_video(clip, frames=min(frames, model.max_frames))
    reading = perf_counter()
    encoded = model.encode(video)
    seconds = {"loading": loaded - started, "encoding": perf_counter() - reading}
    tell("Comparing with transformers' own path")
    native, first = model.native(video, encoded, question, max_new_tokens)
    ours = list(model.ids(encoded, None, question, max_new_tokens=max_new_tokens))
    gap = float((model.score(encoded, None, question, "")[0] - first).abs().max())
    tell("Answering from fewer tokens")
    answers = _answers(model, encoded, question, max_new_tokens)
    place = _machine(pick_device(device), dtype, four_bit)
    told = _about(video, encoded)
    return Report(model.name, told, question, native, ours, gap, answers, seconds, place)


def _answers(model: VideoLLM, encoded: Encoded, question: str, limit: int) -> dict[float, Answer]:
    def asked(retention: float) -> Answer:
        make = None if retention == 1 else lambda: compress(encoded, retention=retention)
        return list(ask(model, encoded, make, question, max_new_tokens=limit))[-1]

    return {retention: asked(retention) for retention in RETENTIONS}


def _about(video: Video, encoded: Encoded) -> str:
    T, N, _ = encoded.tokens.shape
    rows, cols = encoded.grid
    return f"{video.name}, {len(video.frames)} frames, {T} x {N} tokens ({rows} x {cols} a step)"


def _machine(device: torch.device, dtype: torch.dtype | None, four_bit: bool) -> dict[str, str]:
    import transformers

    where = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    kind = str(pick_dtype(device, dtype)).removeprefix("torch.")
    versions: dict[str, Any] = {
        "scissor": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    return {
        "device": f"{device.type} ({where}), {kind}{', weights in 4 bits' if four_bit else ''}",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def _row(retention: float, answer: Answer) -> str:
    first = "-" if answer.seconds_first is None else f"{answer.seconds_first:.2f} s"
    counts = f"{retention:.0%}: {answer.kept:,} of {answer.total:,}"
    return f"| {counts} | {first} | {answer.seconds_total:.2f} s | {_cell(answer.text)} |"


def _cell(text: str) -> str:
    """One line that cannot break a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|") or "(nothing)"
