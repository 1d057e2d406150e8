"""How long a call takes and how much memory it needs: what the rows of `bench speed` are made of.

Knows devices, clocks and where Linux tells a process's peak. Leaves what to call to speed.py.
"""

from __future__ import annotations

import ctypes
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

import torch

Result = TypeVar("Result")


@dataclass(frozen=True)
class Clock:
    """Times calls on a device, in ms.

    processor: the processor time of all threads instead of wall time. On a machine that others use
    too it is the steadier of the two, given a single thread: threads that wait for others spin.
    """

    device: torch.device
    processor: bool = False

    def timed(self, call: Callable[[], Result]) -> tuple[float, Result]:
        """(ms, result) of a call, with the device's queue empty at both ends."""
        now = process_time if self.processor else perf_counter
        self._settle()
        start = now()
        result = call()
        self._settle()
        return 1e3 * (now() - start), result

    def median(self, call: Callable[[], object], repeats: int) -> float:
        """The median ms of so many calls, after one that is not counted."""
        call()
        return statistics.median(self.timed(call)[0] for _ in range(repeats))

    def _settle(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def machine(clock: Clock) -> str:
    """One line that says where, how and beside how much other work this is measured."""
    where = f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
    if clock.device.type == "cuda":
        where = torch.cuda.get_device_name(clock.device)
    kind = "processor time" if clock.processor else "wall time"
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{where}, {versions}, {kind}{busy}"


def peak_memory(call: Callable[[], Result], device: torch.device) -> tuple[float | None, Result]:
    """(MB, result): what a call needs at most beside what was there; None where nobody counts."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        result = call()
        return (torch.cuda.max_memory_allocated(device) - before) / 1e6, result
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    try:
        ctypes.CDLL(None).malloc_trim(0)  # give back what the allocator holds from earlier calls
        reset.write_text("5")  # forget the highest resident size so far
        before = _status(status, "VmRSS")
    except (OSError, AttributeError, StopIteration):  # no Linux
        return None, call()
    result = call()
    return (_status(status, "VmHWM") - before) / 1e3, result


def _status(path: Path, name: str) -> int:
    lines = path.read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])
