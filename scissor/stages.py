"""What the stages of a call take, on any device, without waiting for it between them.

Knows the CPU's clock and a GPU's events. Leaves whole calls to bench/clock.py.
"""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter

import torch


class Stages:
    """Marks the ends of a call's stages as they are reached; tells their seconds at the end.

    A GPU is behind the host that sends it work: its marks are events in its queue, and only
    `seconds` waits for the last of them.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._names, self._marks = device, [], []
        self._mark()

    def ended(self, stage: str) -> None:
        """The stage that began with the one before, or with the call, ends here."""
        self._names.append(stage)
        self._mark()

    def seconds(self) -> dict[str, float]:
        """By stage, in the order they ended."""
        if self._device.type == "cuda":
            self._marks[-1].synchronize()
            spent = [a.elapsed_time(b) / 1e3 for a, b in pairwise(self._marks)]
        else:
            spent = [b - a for a, b in pairwise(self._marks)]
        return dict(zip(self._names, spent, strict=True))

    def _mark(self) -> None:
        if self._device.type == "cuda":
            mark = torch.cuda.Event(enable_timing=True)
            mark.record(torch.cuda.current_stream(self._device))
        else:
            mark = perf_counter()
        self._marks.append(mark)
