"""What this machine offers a model: a device, memory, a hub.

Knows how to look without waiting. Leaves what a model needs to catalog.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import urllib.error
import urllib.request
from functools import lru_cache
from pathlib import Path

import torch

PATIENCE = 2.5
"""Seconds a hub has to answer before it counts as out of reach."""


def pick_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for; else the first CUDA device where there is one, else the CPU."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def pick_dtype(device: torch.device, dtype: torch.dtype | None = None) -> torch.dtype:
    """The type asked for; else bfloat16 on CUDA and float32 elsewhere."""
    return dtype or (torch.bfloat16 if device.type == "cuda" else torch.float32)


def free_memory(device: torch.device) -> int | None:
    """Bytes that a model may take on `device`; None where the machine does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    found = [limit for limit in (_system_memory(), _group_memory()) if limit is not None]
    return min(found, default=None)


def _system_memory() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(AttributeError, OSError, ValueError):  # macOS tells the whole memory
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _group_memory() -> int | None:
    """What a container's limit leaves, page cache counted as free."""
    root = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError, KeyError):
        limit = int((root / "memory.max").read_text())
        stat = dict(line.split() for line in (root / "memory.stat").read_text().splitlines())
        return max(0, limit - int(stat["anon"]) - int(stat["shmem"]))
    return None


def offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids the hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def hub_reachable() -> bool:
    """Whether the model hub answers within PATIENCE; asked at most once a minute."""
    from huggingface_hub import constants

    return not offline() and _answers(constants.ENDPOINT, int(time.monotonic() // 60))


@lru_cache(maxsize=1)
def _answers(address: str, _minute: int) -> bool:
    heard: list[bool] = []

    def knock() -> None:
        request = urllib.request.Request(address, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                heard.append(reply.status < 400)
        except urllib.error.HTTPError as error:  # a gatekeeper on the way says 403, 407 or 5xx
            heard.append(error.code < 500 and error.code not in (403, 407))
        except (OSError, ValueError):
            heard.append(False)

    # in a thread of its own: looking up a name may hang far longer than the timeout
    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return bool(heard and heard[0])


def cached_snapshot(repository: str, revision: str = "main") -> Path | None:
    """The folder of a complete download of `repository` in the hub's cache, if there is one."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(repository, "config.json", revision=revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return folder if weight_files(folder) else None


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint in `folder`; none if one of them is missing."""
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        return []
    names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    files = [folder / name for name in names]
    return files if all(file.is_file() for file in files) else []


def count_parameters(files: list[Path]) -> int:
    """Numbers stored in safetensors files, from their headers alone."""
    total = 0
    for file in files:
        with file.open("rb") as opened:
            header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
        for name, entry in header.items():
            if name != "__metadata__":
                total += torch.Size(entry["shape"]).numel()
    return total
