"""Large models on ZeroGPU: a shelf whose models work in the process that holds the GPU.

Knows which calls of the contract touch the GPU. Leaves the crossing to gpu.py, loading to store.py.
The embedded model stays here, on the CPU: the opening, the Live tab and whoever has no GPU minutes
left are served by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from scissor import models
from scissor.cost import Shape
from scissor.models.contract import Kept, VideoLLM
from scissor.types import Encoded, Video
from scissor.ui.gpu import on_gpu, stopped_by
from scissor.ui.store import EMBEDDED, Shelf


class GpuShelf:
    """A Shelf, for ZeroGPU. To be made before the page is launched, which looks for marks.

    A large model is loaded twice: on the CPU here, where only its tokenizer and sizes are used and
    no thread but the first may speak of a GPU, and on the GPU by the process that has one.
    """

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._there = shelf or Shelf()
        self._here: dict[bool, tuple[str, VideoLLM]] = {}  # embedded or not -> name, model
        self.lock = self._there.lock
        self.encode = on_gpu(self._encode)
        self.answer = on_gpu(self._answer)
        self.ids = on_gpu(self._ids)
        self.score = on_gpu(self._score)

    def holds(self, name: str) -> bool:
        """As Shelf.holds."""
        return any(held == name for held, _ in list(self._here.values()))

    def take(self, name: str, tell: models.Progress | None = None) -> VideoLLM:
        """As Shelf.take."""
        slot = name == EMBEDDED
        if not self.holds(name):
            self._here.pop(slot, None)  # before the next one needs its memory
            dtype = torch.float32 if slot else torch.bfloat16
            loaded = models.load_model(name, device="cpu", dtype=dtype, progress=tell)
            self._here[slot] = name, loaded
        model = self._here[slot][1]
        return model if slot else Remote(self, name, model)

    # Run where the GPU is. The lock is held by who called, in the process that serves the page.

    def _encode(self, name: str, video: Video, attention: bool) -> Encoded:
        return self._there.take(name).encode(video, attention=attention)

    def _answer(self, name: str, *asked: Any) -> Iterator[str]:
        *asked, most = asked
        yield from self._there.take(name).answer(*asked, max_new_tokens=most)

    def _ids(self, name: str, *asked: Any) -> Iterator[int]:
        *asked, most = asked
        yield from self._there.take(name).ids(*asked, max_new_tokens=most)

    def _score(self, name: str, *asked: Any) -> Tensor:
        return self._there.take(name).score(*asked).cpu()


class Remote:
    """A VideoLLM (models/contract.py) whose work is done where the GPU is."""

    def __init__(self, shelf: GpuShelf, source: str, model: VideoLLM) -> None:
        self._shelf, self._source, self._model = shelf, source, model
        self.name, self.max_frames = model.name, model.max_frames

    @property
    def shape(self) -> Shape:
        """The decoder's sizes, for cost.py."""
        return self._model.shape

    def encode(self, video: Video, *, attention: bool = False) -> Encoded:
        """contract.VideoLLM.encode."""
        return self._shelf.encode(self._source, video, attention)

    def answer(
        self,
        encoded: Encoded,
        kept: Kept,
        question: str,
        *,
        max_new_tokens: int = 64,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """contract.VideoLLM.answer; `stop` is asked as the pieces arrive."""
        return _until(
            self._shelf.answer(self._source, encoded, kept, question, max_new_tokens), stop
        )

    def ids(
        self,
        encoded: Encoded,
        kept: Kept,
        question: str,
        *,
        max_new_tokens: int = 64,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[int]:
        """contract.VideoLLM.ids."""
        return _until(self._shelf.ids(self._source, encoded, kept, question, max_new_tokens), stop)

    def score(self, encoded: Encoded, kept: Kept, question: str, answer: str) -> Tensor:
        """contract.VideoLLM.score."""
        return self._shelf.score(self._source, encoded, kept, question, answer)

    def answer_ids(self, answer: str) -> Tensor:
        """contract.VideoLLM.answer_ids; the tokenizer is here."""
        return self._model.answer_ids(answer)

    def native(self, *asked: Any) -> tuple[list[int], Tensor]:
        """contract.VideoLLM.native. Raises RuntimeError: it is for the command line alone."""
        raise RuntimeError("transformers' own path is not run on a ZeroGPU Space")


def _until(values: Iterator[Any], stop: Callable[[], bool] | None) -> Iterator[Any]:
    return values if stop is None else stopped_by(values, stop)
