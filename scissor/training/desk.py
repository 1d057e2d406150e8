"""What both stages of a training run share: the plan, the desk, the clock and the step.

Knows how several GPUs share a step. Leaves what is learned to naming.py, align.py and run.py.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from scissor.mini import Mini
from scissor.mini.names import Names
from scissor.mini.tower import Seen
from scissor.training.render import Atlas

Batch = dict[str, Tensor]
STAGES = ("names", "A", "B")


@dataclass(frozen=True)
class Plan:
    """What a run is told.

    minutes: of naming, stage A and stage B. rates: peak learning rates of the branch and of its
    classifier in naming, of the reader in stage A, of the new parts and of the decoder in stage B.
    warm_up: steps. rounded: the part of stage B, at its end, that runs with the stored precision in
    the loop. align: the weight of the alignment's loss in stage B. whole: the part of its batches
    that keep every token. onward: from the shipped model, not from the start files. tower: the
    public tower's checkpoint, to begin with that again. every: naming teaches all drawings, those
    too that are otherwise spared; the later stages then meet none that is new to the tower.
    """

    minutes: tuple[float, float, float] = (3.0, 3.0, 16.0)
    rates: tuple[float, float, float, float, float] = (3e-4, 8e-4, 7e-4, 4e-4, 3e-4)
    warm_up: int = 150
    rounded: float = 0.5
    align: float = 0.2
    whole: float = 0.45
    seed: int = 1
    onward: bool = False
    tower: Path | None = None
    every: bool = False


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

    def quickly(self) -> AbstractContextManager:
        """The context of a step's forward pass: in bfloat16 on a GPU."""
        cuda = self.device.type == "cuda"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=cuda)

    def say(self, **entry: float | str) -> None:
        """Print one line, from the first process only."""
        if self.rank == 0:
            words = (
                f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items()
            )
            print(*words, flush=True)


def share_gradients(parameters: list[nn.Parameter], world: int) -> None:
    """Average the gradients over the processes, in one message."""
    if world == 1:
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([grad.flatten() for grad in grads])
    dist.all_reduce(flat)
    flat /= world
    for grad, fresh in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(fresh.view_as(grad))


class Clock:
    """How much of a stage's time is over, the same in every process.

    It is set again after the first step, which compiles: that can take longer than the rest.
    """

    def __init__(self, minutes: float, desk: Desk) -> None:
        self._end, self._begin, self._desk = minutes * 60, time.monotonic(), desk

    def part(self) -> float:
        """In [0, 1]."""
        now = torch.tensor(time.monotonic() - self._begin, device=self._desk.device)
        if self._desk.world > 1:
            dist.broadcast(now, 0)
        return float(now) / self._end if now < self._end else 1.0

    def set(self) -> None:
        """Begin again."""
        self._begin = time.monotonic()

    def seconds(self) -> float:
        """Since it was set."""
        return time.monotonic() - self._begin


def rate(part: float, step: int, warm_up: int) -> float:
    """Linear warm-up, then half a cosine down to 2% of the peak."""
    return min(1.0, (step + 1) / warm_up) * (0.51 + 0.49 * math.cos(math.pi * part))


def steps(desk: Desk, plan: Plan, stage: str, optimiser: torch.optim.Optimizer) -> Iterator[float]:
    """The part of a stage's minutes (STAGES) that is over, once a step until they all are.

    Before it the rates are set, from every group's "peak"; after every fiftieth, what it measured
    is told.
    """
    clock = Clock(plan.minutes[STAGES.index(stage)], desk)
    for step in count():
        if (part := clock.part()) >= 1:
            return
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * rate(part, step, plan.warm_up)
        yield part
        if step == 0:
            clock.set()
        if step % 50 == 49:
            desk.say(stage=stage, step=step + 1, seconds=clock.seconds(), **last(desk))


def take_step(
    desk: Desk, optimiser: torch.optim.Optimizer, parameters: list[nn.Parameter], loss: Tensor
) -> None:
    """Backward, the gradients averaged and clipped, one step."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    share_gradients(parameters, desk.world)
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimiser.step()


def last(desk: Desk) -> dict[str, float]:
    """What the last step measured, as numbers."""
    return {name: float(value) for name, value in desk.last.items()}
