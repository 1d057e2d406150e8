"""The models known by name: what they are, what they need, whether they can run here.

Knows licences, sizes and wanted hardware. Leaves loading to loading.py and the families.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from scissor.mini.loading import CONFIG, WEIGHTS, shipped
from scissor.models import machine

GIB = 1024**3


@dataclass(frozen=True)
class Entry:
    """A model by name.

    repository: on the model hub, None for the embedded model. grid: rows and columns of a frame's
    tokens. max_frames: the longest clip, in sampled frames. hardware: what it wants, in words.
    checked: what the adapter was proved against.
    """

    name: str
    title: str
    repository: str | None
    licence: str
    parameters: int
    grid: tuple[int, int]
    max_frames: int
    hardware: str
    checked: str

    @property
    def tokens_per_frame(self) -> int:
        """N, visual tokens a frame."""
        return self.grid[0] * self.grid[1]

    def memory(self, dtype: torch.dtype) -> int:
        """Bytes to load the model in `dtype` and answer with it."""
        return memory_needed(self.parameters, dtype)


ENTRIES = (
    Entry(
        name="mini",
        title="mini (embedded)",
        repository=None,
        licence="Apache-2.0",
        parameters=61_133_465,
        grid=(14, 14),
        max_frames=32,
        hardware="any laptop, no network",
        checked="its own weights",
    ),
    Entry(
        name="llava-onevision-0.5b",
        title="LLaVA-OneVision 0.5B",
        repository="llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
        licence="Apache-2.0",
        parameters=893_675_552,
        grid=(14, 14),
        max_frames=32,
        hardware="a GPU with 4 GB, or a CPU with patience",
        checked="random weights",
    ),
    Entry(
        name="llava-onevision-7b",
        title="LLaVA-OneVision 7B",
        repository="llava-hf/llava-onevision-qwen2-7b-ov-hf",
        licence="Apache-2.0",
        parameters=8_030_807_584,
        grid=(14, 14),
        max_frames=32,
        hardware="a GPU with 24 GB",
        checked="random weights",
    ),
)


def find(name: str) -> Entry | None:
    """The entry of that name or that repository."""
    return next((entry for entry in ENTRIES if name in (entry.name, entry.repository)), None)


def memory_needed(parameters: int, dtype: torch.dtype, four_bit: bool = False) -> int:
    """Bytes for weights in `dtype`, and about a gigabyte to work in.

    four_bit: about 0.7 bytes a weight, as embeddings and norms stay as they are.
    """
    size = 0.7 if four_bit else dtype.itemsize
    return int(parameters * size) + (GIB if parameters > 10**8 else GIB // 4)


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
    if reason or machine.cached_snapshot(entry.repository):
        return reason
    if machine.offline():
        return "It is not downloaded yet, and HF_HUB_OFFLINE forbids the model hub."
    if not machine.hub_reachable():
        return "It is not downloaded yet, and the model hub cannot be reached from here."
    return None
