"""python -m scissor bench speed: what compression costs, beside its floor and two baselines.

The floor is what no implementation over dense similarities can do without: normalisation, one
product a frame, the upper triangle of step 2 (in strips of 1,024 rows), and every token against
every kept one. It is measured in the same process, in turns with ours, at our own M and K. Leaves
the features to features.py and the baselines to plain.py.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from scissor import scc
from scissor.bench import plain
from scissor.bench.features import features
from scissor.graph import full_precision, unit
from scissor.tiles import link

RETENTIONS = (0.5, 0.35, 0.1)
TAU = 0.6
BASELINE_TOKENS = 6272  # larger clips are left out of the baselines unless --baselines all
HEAD = ("clip", "kept", "tau", "M", "K", "ours ms", "stages ms", "floor ms", "x floor")
HEAD += ("plain is", "scipy is", "memory MB", "groups agree")


def main(argv: Sequence[str] = ()) -> int:
    """Measure the asked sizes, print tables as they come, write JSON where asked."""
    ask = _arguments().parse_args(argv)
    if ask.threads:
        torch.set_num_threads(ask.threads)
    device = torch.device(ask.device)
    report = {"machine": machine(device), "compress": [], "prepared": [], "step2": []}
    print(f"{report['machine']}\n\n" + _line(HEAD) + "\n" + _line(["---"] * len(HEAD)))
    for width in ask.width:
        for frames in ask.frames:
            x = features(frames, width).to(device)
            clip = scc.prepare(x)
            taus = {r: scc.compress(clip, retention=r, merge=False).tau_spatial for r in RETENTIONS}
            for tau in [*taus.values(), TAU]:
                row = compare(x, tau, ask.repeats, ask.baselines)
                report["compress"].append(row)
                print(_line(_cells(row)), flush=True)
            report["prepared"].append(prepared(x, taus, ask.repeats))
    print("\nOf a prepared clip, ms:\n")
    _table(report["prepared"])
    if ask.tokens:
        print("\nStep 2 alone:\n")
        report["step2"] = list(step2(ask.tokens, ask.width[0], device))
        _table(report["step2"])
    if ask.json:
        ask.json.write_text(json.dumps(report, indent=1))
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scissor bench speed", description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--width", type=int, nargs="+", default=[576, 896, 3584])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads; torch's own choice without")
    parser.add_argument("--repeats", type=int, default=5, help="the median is reported")
    parser.add_argument(
        "--baselines", choices=["none", "some", "all"], default="some", help="some: up to 32 frames"
    )
    parser.add_argument("--tokens", type=int, default=0, help="also step 2 alone, for this many")
    parser.add_argument("--json", type=Path, help="write everything measured here")
    return parser


def machine(device: torch.device) -> str:
    """One line that says where this ran."""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, {versions}"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, {versions}"


def compare(x: Tensor, tau: float, repeats: int, baselines: str) -> dict:
    """One row: ours, the floor and the baselines for tokens x at tau, times in ms."""
    memory, result = peak_memory(lambda: scc.compress(x, tau=tau), x.device)
    total, m, k = result.counts
    ours, floors, stages = [], [], []
    for _ in range(repeats):
        floors.append(timed(lambda: floor(x, m, k), x.device)[0])
        spent, again = timed(lambda: scc.compress(x, tau=tau), x.device)
        ours.append(spent)
        stages.append(again.seconds)
    row = {"frames": len(x), "tokens": total, "width": x.shape[2], "tau": tau, "M": m, "K": k}
    row["ours"], row["floor"] = statistics.median(ours), statistics.median(floors)
    row["ratio"] = row["ours"] / row["floor"]
    row["stages"] = {s: 1e3 * statistics.median(t[s] for t in stages) for s in stages[0]}
    row["memory"] = memory
    if baselines == "all" or (baselines == "some" and total <= BASELINE_TOKENS):
        array = x.cpu().numpy()
        row["scipy"], other = timed(lambda: plain.compress_scipy(array, tau))
        row["plain"], simple = timed(lambda: plain.compress(array, tau))
        groups = result.group.cpu().numpy()
        row["agree"] = all(np.array_equal(groups, found.group) for found in (other, simple))
        row["margin"] = plain.margin(array, tau, simple)
    return row


def floor(x: Tensor, m: int, k: int) -> None:
    """The products that M = m and K = k call for, and nothing else."""
    units = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    with full_precision(x.device):
        for frame in units:
            frame @ frame.T
        flat = units.flatten(0, 1)
        upper_strips(flat[:m])
        flat @ flat[:k].T


def upper_strips(units: Tensor, rows: int = 1024) -> None:
    """The upper triangle of the products of [n, D] among themselves, strip by strip."""
    for r in range(0, len(units), rows):
        units[r : r + rows] @ units[r:].T


def prepared(x: Tensor, taus: dict[float, float], repeats: int) -> dict:
    """One row: what a prepared clip answers how fast, times in ms."""

    def median(call: Callable, count: int = repeats) -> float:
        return statistics.median(timed(call, x.device)[0] for _ in range(count))

    clip = scc.prepare(x)
    row = {"frames": len(x), "width": x.shape[2], "prepare": median(lambda: scc.prepare(x))}
    row["labels and counts"] = median(lambda: (clip.forest.labels(TAU), clip.forest.counts(TAU)))
    moves = [median(lambda t=t: scc.compress(clip, tau=t / 20), 3) for t in range(21)]
    row["tau moved, worst of 0..1"] = max(moves)
    for retention in taus:
        row[f"search {retention:.0%}"] = median(lambda r=retention: scc.compress(clip, None, r), 1)
        exact = median(lambda r=retention: scc.compress(clip, None, r, exact=True), 1)
        row[f"exact {retention:.0%}"] = exact
    row["curve"] = median(lambda: scc.curve(clip), 1)
    return row


def step2(tokens: int, width: int, device: torch.device) -> Iterator[dict]:
    """Rows: components of many tokens at once beside the products they come from, in seconds."""
    units = unit(features(-(-tokens // 196), width).flatten(0, 1)[:tokens].to(device))
    with full_precision(device):
        products = timed(lambda: upper_strips(units), device)[0]
        for tau in (0.95, 0.85):
            memory, measured = peak_memory(
                lambda t=tau: timed(lambda: link(units, t), device), device
            )
            spent, (labels, _) = measured
            yield {
                "tokens": len(units),
                "width": width,
                "tau": tau,
                "components": len(labels.unique()),
                "seconds": spent / 1e3,
                "products, s": products / 1e3,
                "ratio": spent / products,
                "memory MB": memory,
            }


def timed(call: Callable, device: torch.device | None = None) -> tuple[float, object]:
    """(milliseconds, result) of a call, with the device's queue empty at both ends."""
    wait = torch.cuda.synchronize if device and device.type == "cuda" else lambda: None
    wait()
    start = perf_counter()
    result = call()
    wait()
    return 1e3 * (perf_counter() - start), result


def peak_memory(call: Callable, device: torch.device) -> tuple[float | None, object]:
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


def _cells(row: dict) -> list[str]:
    base = {"plain": "", "scipy": "", "agree": ""}
    for name in ("plain", "scipy"):
        if name in row:
            base[name] = f"{row[name] / row['ours']:.0f} x slower"
    if "agree" in row:
        noise = "yes, but for float32 noise" if row["margin"] < 2e-6 else "no"
        base["agree"] = "yes" if row["agree"] else noise
    stages = " + ".join(f"{ms:.1f}" for ms in row["stages"].values())
    memory = "" if row["memory"] is None else f"{row['memory']:.0f}"
    return [
        f"{row['frames']} x {row['tokens'] // row['frames']} x {row['width']}",
        f"{row['K'] / row['tokens']:.1%}",
        f"{row['tau']:.3f}",
        *(str(row[name]) for name in ("M", "K")),
        f"{row['ours']:.1f}",
        stages,
        f"{row['floor']:.1f}",
        f"{row['ratio']:.2f}",
        base["plain"],
        base["scipy"],
        memory,
        base["agree"],
    ]


def _table(rows: list[dict]) -> None:
    print(_line(rows[0]) + "\n" + _line(["---"] * len(rows[0])))
    for row in rows:
        print(_line(f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()))


def _line(cells: Sequence[str] | Iterator[str]) -> str:
    return "| " + " | ".join(cells) + " |"
