"""Answers to a benchmark's questions from a clip's kept tokens.

Knows how a benchmark hands over clips (paths, or pictures) and that it asks several questions about
one. Leaves lmms-eval's interface to models/scissor.py, compressing to scissor.methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from scissor.methods import METHODS
from scissor.models.contract import Kept, VideoLLM
from scissor.types import Encoded, Video
from scissor.video import Limits, read_video

LIMITS = Limits(bytes=8 * 2**30, seconds=6 * 3600, timeout=600)
"""A benchmark's own clips may be far longer than a visitor's."""


class Runner:
    """A model with one method at one retention.

    retention: in (0, 1], 1 leaves the model as it is. frames: of a video; a list of pictures is
    taken whole up to the model's limit. Raises ValueError for an unknown method or retention.
    """

    def __init__(self, model: VideoLLM, method: str, retention: float, frames: int) -> None:
        if method not in METHODS:
            raise ValueError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
        if not 0 < retention <= 1:
            raise ValueError(f"retention must be above 0 and at most 1, not {retention}")
        self.model, self.method, self.retention = model, METHODS[method], retention
        self.frames = min(frames, model.max_frames)
        self._last: tuple[str, Encoded, Kept] | None = None

    def answer(
        self,
        visuals: Sequence[Any],
        question: str,
        *,
        max_new_tokens: int = 64,
        until: Sequence[str] = (),
    ) -> str:
        """The greedy answer, cut before the first of the words in `until`."""
        encoded, kept = self._read(visuals)
        pieces = self.model.answer(encoded, kept, question, max_new_tokens=max_new_tokens)
        text = "".join(pieces)
        for word in until:
            text = text.split(word)[0] if word else text
        return text.strip()

    def log_likelihood(
        self, visuals: Sequence[Any], question: str, answer: str
    ) -> tuple[float, bool]:
        """(log-probability of `answer` without its end of turn; whether it is the greedy one)."""
        encoded, kept = self._read(visuals)
        ids = self.model.answer_ids(answer)[:-1]
        scores = self.model.score(encoded, kept, question, answer)[: len(ids)]
        total = float(scores.gather(1, ids[:, None]).sum())
        return total, bool((scores.argmax(-1) == ids).all())

    def _read(self, visuals: Sequence[Any]) -> tuple[Encoded, Kept]:
        """A clip's tokens and what is kept of them; those of the last clip are at hand."""
        visuals = list(visuals)
        path = str(visuals[0]) if len(visuals) == 1 and _is_path(visuals[0]) else ""
        if self._last is None or not path or self._last[0] != path:
            video = clip_of(visuals, self.frames)
            encoded = self.model.encode(video, attention=self.method.needs_attention)
            kept = None if self.retention == 1 else self.method(encoded, self.retention)
            self._last = path, encoded, kept
        return self._last[1:]


def clip_of(visuals: Sequence[Any], frames: int) -> Video:
    """A clip from what a task gives: [a path], or [picture, ...] (PIL or arrays), `frames` of them.

    Pictures take the first one's size. Raises ValueError for nothing or several videos, VideoError
    for what is none.
    """
    if len(visuals) == 1 and _is_path(visuals[0]):
        return read_video(visuals[0], frames=frames, limits=LIMITS)
    if not visuals or any(map(_is_path, visuals)):
        raise ValueError("scissor reads one video, or pictures, for each question")
    from PIL import Image

    pictures = [
        (visual if isinstance(visual, Image.Image) else Image.fromarray(visual)).convert("RGB")
        for visual in visuals
    ]
    chosen = np.unique(np.linspace(0, len(pictures) - 1, min(frames, len(pictures))).round())
    stack = np.stack([np.asarray(pictures[int(i)].resize(pictures[0].size)) for i in chosen])
    key = sha256(stack.tobytes()).hexdigest()
    return Video(stack, chosen.astype(float), float(len(pictures)), "pictures", key)


def _is_path(visual: Any) -> bool:
    return isinstance(visual, (str, Path))
