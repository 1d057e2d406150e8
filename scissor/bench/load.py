"""Many visitors at once, some of them bad or gone half way: python -m scissor bench load.

Knows how many come and what the page's memory does meanwhile. Leaves what one visitor does to
visitors.py and starting the page to browser.py. Speaks to this machine alone.

Of five clients three are good (encode, compress and answer, with clips of their own and shared
ones; the third shows its camera as well), one sends what must be refused, one leaves: in the middle
of an upload, and while its answer is made. A wave is all clients once, at the same time. Memory is
the page's own after each wave: the first fills the caches, from then on it should be flat.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from scissor.bench.browser import APP, started_page
from scissor.bench.visitors import EXPECTED, FRAMES, KINDS, Client, Truth, Visit, own_clip


def clips_of(number: int, folder: Path) -> list[Path]:
    """What a client encodes, compresses and asks about: its own clip and an example between."""
    shared = sorted((APP.parent / "assets" / "clips").glob("*.mp4"))
    return [own_clip(folder, number), shared[number % len(shared)], own_clip(folder, number)]


def wave(url: str, clients: Sequence[int], number: int, folder: Path, truth: Truth) -> list[Visit]:
    """All clients at once."""

    def run(k: int) -> list[Visit]:
        return list(Client(url, k, number, clips_of(k, folder), truth).visits())

    with ThreadPoolExecutor(len(clients)) as pool:
        return [visit for visits in pool.map(run, clients) for visit in visits]


def alive(url: str) -> bool:
    """The page still opens."""
    import httpx

    return "Scissor" in httpx.get(url, timeout=60).text


def resident(pid: int | None) -> float | None:
    """MB that a process holds in memory, its children's not; None where the system hides it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    held = [line for line in lines if line.startswith("VmRSS")]
    return int(held[0].split()[1]) / 1024 if held else None


def measure(
    url: str, pid: int | None, clients: Sequence[int], waves: int, truth: Truth
) -> dict[str, Any]:
    """Waves of clients; every visit, the memory before and after each wave, whether it lives."""
    memory, seconds, visits = [resident(pid)], [], []
    with tempfile.TemporaryDirectory(prefix="scissor-load-") as room:
        for k in (k for k in clients if k % 5 < 3):
            for kind, clip in zip(KINDS, clips_of(k, Path(room)), strict=True):
                truth.of(kind, clip)
        for number in range(waves):
            start = time.perf_counter()
            visits += wave(url, clients, number, Path(room), truth)
            seconds.append(time.perf_counter() - start)
            memory.append(resident(pid))
    return {
        "clients": len(clients),
        "seconds": seconds,
        "memory": memory,
        "alive": alive(url),
        "visits": [asdict(visit) for visit in visits],
    }


def table(found: dict[str, Any]) -> str:
    """A line for each kind of request, then memory and whether the page lives."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for visit in found["visits"]:
        kinds.setdefault(visit["kind"], []).append(visit)
    lines = [f"{'':16}{'sent':>6}{'as it should':>14}{'median':>10}{'worst':>10}"]
    for kind, visits in kinds.items():
        good = sum(visit["outcome"] in EXPECTED for visit in visits)
        took = [visit["seconds"] for visit in visits]
        lines.append(f"{kind:16}{len(took):>6}{good:>14}{median(took):>8.1f} s{max(took):>8.1f} s")
    memory = " -> ".join("?" if mb is None else f"{mb:.0f}" for mb in found["memory"])
    waves = ", ".join(f"{s:.0f} s" for s in found["seconds"])
    lines += [f"waves: {waves}", f"the page's memory, before and after each: {memory} MB"]
    lines += [f"the page {'lives' if found['alive'] else 'is dead'}"]
    return "\n".join(lines)


def failures(found: dict[str, Any]) -> list[str]:
    """What did not go as it should."""
    return [
        f"{visit['kind']} of client {visit['client']} in wave {visit['wave']}: {visit['outcome']}"
        for visit in found["visits"]
        if visit["outcome"] not in EXPECTED
    ]


def main(argv: Sequence[str]) -> int:
    """Start the page, send the clients, print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="scissor bench load", description=__doc__)
    parser.add_argument("--url", help="a page on this machine that runs already")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--waves", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    if args.url and not args.url.startswith(("http://127.0.0.1:", "http://localhost:")):
        raise ValueError("this loads a page of this machine only, at http://127.0.0.1:PORT")
    if not (1 <= args.clients <= 64 and 1 <= args.waves <= 10):
        raise ValueError("from 1 to 64 clients and from 1 to 10 waves, please")
    from scissor.models import load_model

    truth = Truth(load_model("mini"))
    try:
        with nullcontext((args.url, None)) if args.url else started_page() as (url, pid):
            found = measure(url, pid, range(args.clients), args.waves, truth)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    print(f"{args.clients} clients at once, {os.cpu_count()} CPU cores, {FRAMES} frames a clip")
    print(table(found))
    wrong = failures(found)
    print("\n".join(wrong))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if wrong or not found["alive"] else 0
