"""Stage B: the model learns to answer, from all tokens and from few.

Knows the answers' loss and which tokens a step keeps. Leaves stage A to align.py, scenes to
data.py, the decoder's pass to decode.py, fewer tokens to reduce.py, what a step is to desk.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import parametrize

from scissor.mini.quantise import start_rounding
from scissor.training import reduce as fewer
from scissor.training.align import align_loss, see
from scissor.training.decode import many_questions
from scissor.training.desk import Batch, Desk, Plan, steps, take_step

IGNORE = -100


def answer_loss(desk: Desk, tokens: Tensor, place: Tensor, frames: int, batch: Batch) -> Tensor:
    """Cross-entropy of the answers' tokens; each question stands alone after the clip."""
    model = desk.model
    table = model.table
    visual = tokens + model.place(place, frames).to(tokens.dtype)
    before = F.embedding(batch["before"], table).to(visual.dtype).expand(len(visual), -1, -1)
    prefix = torch.cat([before, visual], 1).to(torch.bfloat16 if visual.is_cuda else visual.dtype)
    hidden = many_questions(model.decoder, prefix, batch["ids"])
    labels = batch["ids"][..., 1:].masked_fill(~batch["answers"][..., 1:], IGNORE)
    rows = labels != IGNORE
    logits = F.linear(hidden[..., :-1, :][rows], table.to(hidden.dtype)).float()
    desk.last["words"] = (logits.argmax(-1) == labels[rows]).float().mean().detach()
    return F.cross_entropy(logits, labels[rows])


def choose(frames: int, cells: int, plan: Plan, generator: torch.Generator) -> tuple[str, int]:
    """A step's reduction and how many tokens it keeps, log-uniform between FEWEST and all.

    A multiple of 8, so that the kernels see few different shapes.
    """
    if torch.rand((), generator=generator) < plan.whole:
        return "all", frames * cells
    kind = fewer.KINDS[1 + int(torch.randint(len(fewer.KINDS) - 1, (), generator=generator))]
    span = math.log(frames * cells / fewer.FEWEST)
    keep = fewer.FEWEST * math.exp(span * float(torch.rand((), generator=generator)))
    return kind, 8 * max(1, round(keep / 8))


class StageB:
    """Answer: reader, place embedding and decoder together."""

    def __init__(self, desk: Desk, plan: Plan) -> None:
        self.desk, self.plan, self.step, self.rounding = desk, plan, 0, False
        model = desk.model
        new = [*model.reader.parameters(), *model.place.parameters()]
        old = list(model.decoder.parameters())
        groups = [{"params": new, "peak": plan.rates[3]}, {"params": old, "peak": plan.rates[4]}]
        self.parameters = [*new, *old]
        self.optimiser = torch.optim.AdamW(
            groups, betas=(0.9, 0.95), weight_decay=0.01, fused=desk.device.type == "cuda"
        )

    def run(self, batches: Iterator[Batch], keep: Callable[[], None]) -> None:
        """To the end of the plan's minutes; `keep` is called every 2,000 steps."""
        for part in steps(self.desk, self.plan, "B", self.optimiser):
            if not self.rounding and part > 1 - self.plan.rounded:
                start_rounding(self.desk.model, self.desk.model.config.bits)
                self.rounding = True
            self._once(next(batches))
            self.step += 1
            if self.step % 2000 == 0:
                keep()

    def _once(self, batch: Batch) -> None:
        desk, plan = self.desk, self.plan
        draw_of_step = torch.Generator().manual_seed(plan.seed * 1_000_003 + self.step)
        frames = batch["box"].shape[2]
        kind, keep = choose(frames, math.prod(desk.model.config.grid), plan, draw_of_step)
        with desk.quickly(), parametrize.cached():
            tokens, cover = see(desk, batch)
            aligned = align_loss(desk, tokens, cover, batch)
            kept, place = fewer.reduce(tokens, desk.model.config.grid, kind, keep, draw_of_step)
            answered = answer_loss(desk, kept, place, frames, batch)
        desk.last["loss"] = answered.detach()
        take_step(desk, self.optimiser, self.parameters, answered + plan.align * aligned)
