"""The training run: first align the tokens with words, then learn to answer.

Knows the two stages, their losses and schedules, and how several GPUs share them. Leaves the scenes
to data.py, the decoder's pass to decode.py, fewer tokens to reduce.py, the command to __main__.py.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from scissor.mini import Mini
from scissor.mini.names import Names
from scissor.mini.quantise import start_rounding
from scissor.mini.tower import Seen
from scissor.training import reduce as fewer
from scissor.training.decode import many_questions
from scissor.training.render import Atlas, draw

SHARPNESS = 25.0
IGNORE = -100

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Plan:
    """What a run is told.

    minutes: of stage A and stage B. rates: peak learning rates of stage A, of the new parts and of
    the decoder in stage B. warm_up: steps. rounded: the part of stage B, at its end, that runs with
    the stored precision in the loop. align: the weight of the alignment's loss in stage B. whole:
    the part of its batches that keep every token.
    """

    minutes: tuple[float, float] = (2.0, 19.0)
    rates: tuple[float, float, float] = (1e-3, 5e-4, 4e-4)
    warm_up: int = 150
    rounded: float = 0.3
    align: float = 0.2
    whole: float = 0.35
    seed: int = 1


@dataclass
class Desk:
    """Everything a step needs, on one device of `world`; tower and paint are made quick."""

    model: Mini
    tower: Callable[[Tensor], Seen]
    paint: Callable
    atlas: Atlas
    names: Names
    device: torch.device
    rank: int = 0
    world: int = 1
    last: dict[str, Tensor] = field(default_factory=dict)

    def say(self, **entry: float | str) -> None:
        """Print one line, from the first process only."""
        if self.rank == 0:
            words = (
                f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items()
            )
            print(*words, flush=True)


def see(desk: Desk, batch: Batch) -> tuple[Tensor, Tensor]:
    """Draw a batch, run the frozen tower and the reader: tokens [B, T, N, D], cover (render.py)."""
    config = desk.model.config
    with torch.no_grad():
        frames, cover = draw(desk.atlas, batch, config.frame, config.grid[0], desk.paint)
        seen = desk.tower(frames.flatten(0, 1))
        seen = force_evidence(seen, batch["forced"], cover)
    return desk.model.tokens(seen).unflatten(0, frames.shape[:2]), cover


def force_evidence(seen: Seen, forced: Tensor, cover: Tensor) -> Seen:
    """Put a drawn ImageNet class on top of the evidence where an actor wears a made-up texture.

    forced: [B, A] class or -1. So the decoder learns to read any of the thousand names out.
    """
    batch, steps, cells, _ = cover.shape
    best, actor = cover[..., :-1].max(-1)
    told = forced[:, None, None].expand(-1, steps, cells, -1).gather(-1, actor[..., None])
    told = torch.where(best[..., None] > 0.3, told, -1).flatten(0, 1)
    frame = torch.rand(batch * steps, 1, 1, device=told.device) * 0.7 + 0.25
    sure = frame * torch.rand_like(frame.expand(told.shape)).clamp(min=0.4)
    rest = seen.probabilities[..., 1:]
    lifted = torch.cat([sure.to(rest.dtype), rest * 0.3], -1)
    named = torch.cat([told.clamp(min=0), seen.classes[..., 1:]], -1)
    return seen._replace(
        classes=torch.where(told >= 0, named, seen.classes),
        probabilities=torch.where(told >= 0, lifted, seen.probabilities),
    )


def align_loss(desk: Desk, tokens: Tensor, cover: Tensor, batch: Batch) -> Tensor:
    """Every token nearest, by cosine, to the words of what covers its cell; as long as a word."""
    names = torch.cat([batch["name"], batch["back_name"][:, None]], 1)
    best, who = cover.max(-1)
    label = names[:, None, None].expand(cover.shape).gather(-1, who[..., None])[..., 0]
    label = torch.where(best > 0.5, label, -1).flatten()
    rows = tokens.flatten(0, 2)[label >= 0].float()
    label = label[label >= 0]
    if not len(label):  # a small batch may show nothing that has a name
        return 0.0 * tokens.float().sum()
    words = desk.names(desk.model.table.detach()).float()
    logits = SHARPNESS * F.normalize(rows, dim=-1) @ F.normalize(words, dim=-1).T
    length = ((rows.norm(dim=-1) / words.norm(dim=-1).mean()).log() ** 2).mean()
    desk.last["cells"] = (logits.argmax(-1) == label).float().mean().detach()
    return F.cross_entropy(logits, label) + 0.1 * length


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


def share_gradients(parameters: list[nn.Parameter], world: int) -> None:
    """Average the gradients over the processes, in one message."""
    if world == 1:
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([grad.flatten() for grad in grads])
    dist.all_reduce(flat, op=dist.ReduceOp.AVG)
    for grad, fresh in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(fresh.view_as(grad))


class Clock:
    """How much of a stage's time is over, the same in every process."""

    def __init__(self, minutes: float, desk: Desk) -> None:
        self._end, self._begin, self._desk = minutes * 60, time.monotonic(), desk

    def part(self) -> float:
        """In [0, 1]."""
        now = torch.tensor(time.monotonic() - self._begin, device=self._desk.device)
        if self._desk.world > 1:
            dist.broadcast(now, 0)
        return float(now) / self._end if now < self._end else 1.0

    def seconds(self) -> float:
        """Since the stage began."""
        return time.monotonic() - self._begin


def rate(part: float, step: int, warm_up: int) -> float:
    """Linear warm-up, then half a cosine down to 2% of the peak."""
    return min(1.0, (step + 1) / warm_up) * (0.51 + 0.49 * math.cos(math.pi * part))


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


def stage_a(desk: Desk, batches: Iterator[Batch], plan: Plan) -> None:
    """Align: the reader alone, every covered token to its words."""
    parameters = list(desk.model.reader.parameters())
    optimiser = torch.optim.AdamW(
        parameters, lr=plan.rates[0], betas=(0.9, 0.95), weight_decay=0.02
    )
    clock, step = Clock(plan.minutes[0], desk), 0
    while (part := clock.part()) < 1:
        for group in optimiser.param_groups:
            group["lr"] = plan.rates[0] * rate(part, step, plan.warm_up)
        batch = next(batches)
        with torch.autocast(desk.device.type, torch.bfloat16, enabled=desk.device.type == "cuda"):
            tokens, cover = see(desk, batch)
            loss = align_loss(desk, tokens, cover, batch)
        _step(desk, optimiser, parameters, loss)
        step += 1
        if step % 50 == 0:
            desk.say(stage="A", step=step, seconds=clock.seconds(), loss=float(loss), **_last(desk))


class StageB:
    """Answer: reader, place embedding and decoder together."""

    def __init__(self, desk: Desk, plan: Plan) -> None:
        self.desk, self.plan, self.step, self.rounding = desk, plan, 0, False
        model = desk.model
        new = [*model.reader.parameters(), *model.place.parameters()]
        old = list(model.decoder.parameters())
        groups = [{"params": new, "peak": plan.rates[1]}, {"params": old, "peak": plan.rates[2]}]
        self.parameters = [*new, *old]
        self.optimiser = torch.optim.AdamW(
            groups, betas=(0.9, 0.95), weight_decay=0.01, fused=desk.device.type == "cuda"
        )

    def run(self, batches: Iterator[Batch], keep: Callable[[], None]) -> None:
        """To the end of the plan's minutes; `keep` is called every 2,000 steps."""
        clock = Clock(self.plan.minutes[1], self.desk)
        while (part := clock.part()) < 1:
            if not self.rounding and part > 1 - self.plan.rounded:
                start_rounding(self.desk.model, self.desk.model.config.bits)
                self.rounding = True
            for group in self.optimiser.param_groups:
                group["lr"] = group["peak"] * rate(part, self.step, self.plan.warm_up)
            self._once(next(batches))
            self.step += 1
            if self.step % 2000 == 0:
                keep()
            if self.step % 50 == 0:
                self.desk.say(
                    stage="B", step=self.step, seconds=clock.seconds(), **_last(self.desk)
                )

    def _once(self, batch: Batch) -> None:
        desk, plan = self.desk, self.plan
        draw_of_step = torch.Generator().manual_seed(plan.seed * 1_000_003 + self.step)
        frames = batch["box"].shape[2]
        kind, keep = choose(frames, math.prod(desk.model.config.grid), plan, draw_of_step)
        cuda = desk.device.type == "cuda"
        with torch.autocast(desk.device.type, torch.bfloat16, enabled=cuda), parametrize.cached():
            tokens, cover = see(desk, batch)
            aligned = align_loss(desk, tokens, cover, batch)
            kept, place = fewer.reduce(tokens, desk.model.config.grid, kind, keep, draw_of_step)
            answered = answer_loss(desk, kept, place, frames, batch)
        desk.last["loss"] = answered.detach()
        _step(desk, self.optimiser, self.parameters, answered + plan.align * aligned)


def _step(
    desk: Desk, optimiser: torch.optim.Optimizer, parameters: list[nn.Parameter], loss: Tensor
) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    share_gradients(parameters, desk.world)
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimiser.step()


def _last(desk: Desk) -> dict[str, float]:
    return {name: float(value) for name, value in desk.last.items()}
