"""Whether a model known by name can run on this machine.

Knows memory, the hub and its cache. Leaves what the models are to entries.py, and loading to
loading.py.
"""

from __future__ import annotations

import torch

from scissor.mini.loading import CONFIG, WEIGHTS, shipped
from scissor.models import machine
from scissor.models.entries import ENTRIES, GIB, Entry, memory_needed

__all__ = ["ENTRIES", "Entry", "find", "memory_needed", "too_big", "why_not"]


def find(name: str) -> Entry | None:
    """The entry of that name or that repository."""
    return next((entry for entry in ENTRIES if name in (entry.name, entry.repository)), None)


def too_big(
    parameters: int, device: torch.device, dtype: torch.dtype, *, four_bit: bool = False
) -> str | None:
    """A sentence if `device` has no room for that many parameters in `dtype`, else None."""
    need, free = memory_needed(parameters, dtype, four_bit), machine.free_memory(device)
    if free is None or need <= free:
        return None
    place = "this GPU" if device.type == "cuda" else "this machine"
    return f"It needs about {need / GIB:.1f} GB of memory and {place} has {free / GIB:.1f} GB free."


def why_not(entry: Entry) -> str | None:
    """A plain sentence why this machine cannot load `entry`, or None. Answers within seconds."""
    if entry.repository is None:
        there = all((shipped() / name).is_file() for name in (CONFIG, WEIGHTS))
        return None if there else "Its weights are missing from assets/mini."
    device = machine.pick_device()
    reason = too_big(entry.parameters, device, machine.pick_dtype(device))
    if reason or machine.cached_snapshot(entry.repository, entry.revision):
        return reason
    if machine.offline():
        return "It is not downloaded yet, and HF_HUB_OFFLINE forbids the model hub."
    if not machine.hub_reachable():
        return "It is not downloaded yet, and the model hub cannot be reached from here."
    return None
