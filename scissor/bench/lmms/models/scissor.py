"""`lmms-eval --model scissor`: any model of this package, its visual tokens compressed.

Knows lmms-eval's requests. Leaves clips and answers to runner.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from lmms_eval.api.model import lmms

from scissor.bench.lmms.runner import Runner
from scissor.models import load_model


class Scissor(lmms):
    """pretrained: a catalog name, hub repository or folder. method: of scissor.methods.

    retention: share of the visual tokens to keep, 1 for the model as it is. frames: sampled from a
    video. device, dtype, four_bit: as in scissor.load_model. Requests run one by one.
    """

    def __init__(
        self,
        pretrained: str = "llava-onevision-7b",
        method: str = "scc",
        retention: float = 0.35,
        frames: int = 32,
        device: str | None = None,
        dtype: str | None = None,
        four_bit: bool = False,
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        if str(batch_size) not in ("1", "auto"):
            raise ValueError(
                f"scissor answers one request at a time: batch_size=1, not {batch_size}"
            )
        kind = getattr(torch, dtype) if dtype else None
        model = load_model(pretrained, device=device, dtype=kind, four_bit=bool(four_bit))
        self.pretrained = pretrained
        self.runner = Runner(model, method, float(retention), int(frames))

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """The greedy answer to each request, cut at its stop words."""
        answers = []
        for request in requests:
            context, options, visual, document, task, split = request.args
            answers.append(
                self.runner.answer(
                    visual(self.task_dict[task][split][document]),
                    context,
                    max_new_tokens=int(options.get("max_new_tokens") or 64),
                    until=_listed(options.get("until")),
                )
            )
        return answers

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """(log-probability of the continuation, whether greedy decoding would give it)."""
        found = []
        for request in requests:
            context, target, visual, document, task, split = request.args
            row = self.task_dict[task][split][document]
            answer = target(row) if isinstance(target, Callable) else target
            found.append(self.runner.log_likelihood(visual(row), context, answer))
        return found

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[str]:
        """Not offered. Raises NotImplementedError."""
        raise NotImplementedError("scissor answers single questions, not rounds of them")


def _listed(until: str | Sequence[str] | None) -> list[str]:
    return [until] if isinstance(until, str) else list(until or ())
