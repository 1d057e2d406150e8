"""A desk over a model that only counts: quick, and honest about being a double."""

import numpy as np
import pytest
import torch

from scissor.cost import SHAPES
from scissor.types import Compression, Encoded
from scissor.ui.desk import Desk
from scissor.ui.store import Shelf


class CountingModel:
    """Keeps the contract of a VideoLLM; its answer says how many tokens it was given."""

    name, max_frames = "mini", 32

    def __init__(self):
        self.encodings = 0

    def encode(self, video, *, attention=False):
        self.encodings += 1
        frames = torch.from_numpy(video.frames).float()
        steps, height, width, _ = frames.shape
        cells = frames[:, : height // 6 * 6, : width // 6 * 6]
        cells = cells.reshape(steps, 6, height // 6, 6, width // 6, 3)
        mean, spread = cells.mean((2, 4)), cells.std((2, 4))
        place = torch.cartesian_prod(torch.arange(6.0), torch.arange(6.0)).expand(steps, 36, 2)
        tokens = torch.cat([mean.flatten(1, 2), spread.flatten(1, 2), 12 * place], -1) - 60
        times = np.asarray(video.times)
        seen = torch.rand(steps, 36, generator=torch.manual_seed(1)) if attention else None
        return Encoded(tokens, (6, 6), times, self.name, f"{video.key}/counting", seen)

    def answer(self, encoded, kept, question, *, max_new_tokens=64, stop=None):
        count = kept.kept if isinstance(kept, Compression) else encoded.tokens.shape[:2].numel()
        for word in f"I was given {count} tokens in {len(encoded.tokens)} frames".split():
            if stop and stop():
                return
            yield word + " "

    @property
    def shape(self):
        return SHAPES["mini"]

    def score(self, encoded, kept, question, answer):
        """Surer of the same words the more tokens it is given."""
        count = kept.kept if isinstance(kept, Compression) else encoded.tokens.shape[:2].numel()
        logits = torch.zeros(len(self.answer_ids(answer)), 4)
        logits[:, 0] = count / 36
        return logits.log_softmax(-1)

    def answer_ids(self, answer):
        return torch.arange(len(answer.split()) + 1)


class CountingShelf(Shelf):
    """Has the counting model and no other."""

    def __init__(self):
        super().__init__()
        self.model = CountingModel()

    def holds(self, name):
        return True

    def take(self, name):
        return self.model


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("scissor.ui.desk.catalog.why_not", lambda entry: None)
    return Desk(shelf=CountingShelf())
