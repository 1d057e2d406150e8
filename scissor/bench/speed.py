"""python -m scissor bench speed: what compression costs, beside its floor and two baselines.

The floor is what no implementation over dense similarities can do without: normalisation, one
product a frame, the upper triangle of step 2 (in strips of 1,024 rows), and every token against
every kept one. It is measured in the same process, in turns with ours, at our own M and K. Leaves
the features to features.py, the baselines to plain.py, time and memory to clock.py.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scissor import scc
from scissor.bench import plain
from scissor.bench.clock import Clock, machine, peak_memory
from scissor.bench.features import features
from scissor.cosine import cosines, full_precision, unit
from scissor.graph import spanning_forest
from scissor.steps import Plan, spatial_step
from scissor.tiles import link

RETENTIONS = (0.5, 0.35, 0.1)
TAU = 0.6
TAUS = [k / 20 for k in range(21)]  # where the dial is moved to
PROMISED = (32, 3584)  # frames and width of the clip that a GPU's promise is about
SOME = 32 * 196 * 896  # numbers in a clip up to which `some` means yes
HEAD = ("clip", "kept", "tau", "M", "K", "ours ms", "stages ms", "floor ms", "x floor")
HEAD += ("plain is", "scipy is", "memory MB", "groups agree")


def main(argv: Sequence[str] = ()) -> int:
    """Measure the asked sizes, print tables as they come, write JSON where asked."""
    parser = _arguments()
    ask = parser.parse_args(argv)
    if ask.repeats < 1 or (ask.clock == "processor" and ask.device != "cpu"):
        parser.error("--repeats starts at 1, and --clock processor is for the CPU")
    if ask.threads:
        torch.set_num_threads(ask.threads)
    clock = Clock(torch.device(ask.device), ask.clock == "processor")
    report = {"machine": machine(clock), "compress": [], "prepared": [], "search": [], "step2": []}
    print(f"{report['machine']}\n\n" + _line(HEAD) + "\n" + _line(["---"] * len(HEAD)))
    for frames, width in _sizes(ask):
        _clip(features(frames, width).to(clock.device), clock, ask, report)
    if ask.tokens:
        report["step2"] = step2(features(-(-ask.tokens // 196), 896), ask.tokens, clock)
    for name, title in (("prepared", "Of a prepared clip"), ("search", "To a budget")):
        _table(f"{title}, ms", report[name])
    _table("Step 2 alone", report["step2"])
    _write(ask, report)
    return 0


def _sizes(ask: argparse.Namespace) -> list[tuple[int, int]]:
    """(frames, width) of every clip; on CUDA the one that a promise is made for comes first."""
    sizes = list(product(ask.frames, ask.width))
    cuda = ask.device.startswith("cuda")
    return sorted(sizes, key=lambda size: (not (cuda and size == PROMISED), size[::-1]))


def _write(ask: argparse.Namespace, report: dict[str, object]) -> None:
    """What is measured so far, where it was asked for: a run that is cut short leaves its rows."""
    if ask.json:
        ask.json.write_text(json.dumps(report, indent=1))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scissor bench speed", description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--width", type=int, nargs="+", default=[576, 896, 3584])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads; torch's own choice without")
    parser.add_argument("--repeats", type=int, default=5, help="the median is reported")
    parser.add_argument(
        "--clock",
        choices=["wall", "processor"],
        default="wall",
        help="processor: its time, for a machine that is not quiet; set OMP_NUM_THREADS=1",
    )
    some = {"choices": ["none", "some", "all"], "default": "some"}
    parser.add_argument("--baselines", **some, help="some: of clips up to 32 x 196 x 896")
    parser.add_argument("--dials", **some, help="prepared clips; some: likewise")
    parser.add_argument("--tokens", type=int, default=0, help="also step 2 alone, for this many")
    parser.add_argument("--json", type=Path, help="write everything measured here")
    return parser


def _clip(x: Tensor, clock: Clock, ask: argparse.Namespace, report: dict[str, list]) -> None:
    """All rows about one clip; those that are printed at once are."""
    chosen = {"none": False, "some": x.numel() <= SOME, "all": True}
    cuda = clock.device.type == "cuda"  # the baselines run on the CPU anyway: once is enough
    plain_repeats = chosen[ask.baselines] * (1 if cuda else ask.repeats)
    clip = scc.prepare(x)
    taus = [scc.compress(clip, retention=r, merge=False).tau_spatial for r in RETENTIONS]
    for tau in [*taus, TAU]:
        row = compare(x, tau, clock, ask.repeats, plain_repeats)
        report["compress"].append(row)
        print(_line(_cells(row)), flush=True)
        _write(ask, report)
    promised = cuda and (len(x), x.shape[2]) == PROMISED
    if chosen[ask.dials] or (promised and ask.dials == "some"):
        few = min(ask.repeats, 5)
        report["prepared"].append(prepared(x, clock, few))
        report["search"].extend(search(clip, clock, few))
        _write(ask, report)


def compare(x: Tensor, tau: float, clock: Clock, repeats: int, plain_repeats: int) -> dict:
    """One row: ours, the floor and, with repeats of their own, the baselines; in ms."""
    memory, result = peak_memory(lambda: scc.compress(x, tau=tau), x.device)
    total, m, k = result.counts
    ours, floors, stages = [], [], []
    floor(x, m, k)  # the first call of a product may load it
    for _ in range(repeats):
        floors.append(clock.timed(lambda: floor(x, m, k))[0])
        spent, again = clock.timed(lambda: scc.compress(x, tau=tau))
        ours.append(spent)
        stages.append(again.seconds)
    row = {"frames": len(x), "tokens": total, "width": x.shape[2], "tau": tau, "M": m, "K": k}
    row["ours"], row["floor"] = statistics.median(ours), statistics.median(floors)
    row["ratio"] = row["ours"] / row["floor"]
    known = {} if clock.processor else stages[0]  # stages are told in wall time
    row["stages"] = {s: 1e3 * statistics.median(t[s] for t in stages) for s in known}
    row["memory"] = memory
    return row | _baselines(x, tau, result.group, clock, plain_repeats)


def _baselines(x: Tensor, tau: float, group: Tensor, clock: Clock, repeats: int) -> dict:
    """The time of both, whether their groups are ours, and how near a decision was.

    For no repeats nothing, but of another device than the CPU whether that finds the same.
    """
    if not repeats:
        return {} if x.device.type == "cpu" else _beside_cpu(x, tau, group)
    array, groups, row = x.cpu().numpy(), group.cpu().numpy(), {"agree": True}
    for name, call in (("scipy", plain.compress_scipy), ("plain", plain.compress)):
        runs = [clock.timed(lambda c=call: c(array, tau)) for _ in range(repeats)]
        row[name] = statistics.median(spent for spent, _ in runs)
        row["agree"] &= np.array_equal(groups, runs[-1][1].group)
    row["margin"] = plain.margin(array, tau, runs[-1][1])
    return row


def _beside_cpu(x: Tensor, tau: float, group: Tensor) -> dict:
    """Whether the groups are those found on a CPU, and the similarity that is nearest to tau."""
    expected = scc.compress(x.cpu(), tau=tau, merge=False)
    with full_precision(x.device):
        first = spatial_step(scc.Prepared(x, expected.grid, unit(x)), Plan(), tau).tokens
        least = min(float((cosines(v) - tau).abs().min()) for v in (*x, first))
    return {"agree": torch.equal(group.cpu(), expected.group), "margin": least}


def floor(x: Tensor, m: int, k: int) -> None:
    """The products that M = m and K = k call for, and nothing else."""
    units = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    with full_precision(x.device):
        if x.device.type == "cpu":
            for frame in units:
                frame @ frame.T
        else:  # one frame would leave a GPU idle
            units @ units.mT
        flat = units.flatten(0, 1)
        upper_strips(flat[:m])
        flat @ flat[:k].T


def upper_strips(units: Tensor, rows: int = 1024) -> None:
    """The upper triangle of the products of [n, D] among themselves, strip by strip."""
    for r in range(0, len(units), rows):
        units[r : r + rows] @ units[r:].T


def prepared(x: Tensor, clock: Clock, repeats: int) -> dict:
    """One row: how fast a prepared clip answers, in ms; of all thresholds of TAUS the worst."""
    clip = scc.prepare(x)
    median = partial(clock.median, repeats=repeats)
    calls = {
        "labels and counts": lambda tau: (clip.forest.labels(tau), clip.forest.counts(tau)),
        "with hubs and means": lambda tau: spatial_step(clip, Plan(), tau),
        "tau moved": lambda tau: scc.compress(clip, tau=tau),
    }
    return {
        "clip": _size(x),
        "prepare": median(lambda: scc.prepare(x)),
        "its forests": median(lambda: spanning_forest(clip.units, clip.similar)),
        **{name: max(median(partial(call, tau)) for tau in TAUS) for name, call in calls.items()},
        "curve": median(lambda: scc.curve(clip)),
    }


def search(clip: scc.Prepared, clock: Clock, repeats: int) -> Iterator[dict]:
    """A row a budget: found by one threshold, by one from the clip's curve, and met exactly."""
    curve = scc.curve(clip)
    ways = {"one tau": {}, "from the curve": {"curve": curve}, "exact": {"exact": True}}
    for retention in RETENTIONS:
        row = {"clip": _size(clip.tokens), "asked": f"{retention:.0%}"}
        for name, options in ways.items():
            call = partial(scc.compress, clip, retention=retention, **options)
            found = call()
            row["asked"] = found.target
            row |= {name: clock.median(call, repeats), f"kept, {name}": found.kept}
        yield row


def step2(tokens: Tensor, count: int, clock: Clock) -> list[dict]:
    """Rows: components of many tokens at once beside the products they come from, in seconds.

    The products are measured before and after.
    """
    units = unit(tokens.flatten(0, 1)[:count].to(clock.device))
    rows = []
    with full_precision(clock.device):
        before = clock.timed(lambda: upper_strips(units))[0]
        for tau in (0.95, 0.85):
            call = partial(link, units, tau)
            memory, (ours, (labels, _)) = peak_memory(partial(clock.timed, call), clock.device)
            row = {"tokens": len(units), "width": units.shape[1], "tau": tau}
            row |= {"components": len(labels.unique()), "memory MB": memory, "ours, s": ours / 1e3}
            rows.append(row)
        products = (before + clock.timed(lambda: upper_strips(units))[0]) / 2e3
    for row in rows:
        row |= {"upper triangle, s": products, "ratio": row["ours, s"] / products}
    return rows


def _size(x: Tensor) -> str:
    return " x ".join(map(str, x.shape))


def _cells(row: dict) -> list[str]:
    base = {"plain": "", "scipy": "", "agree": ""}
    for name in ("plain", "scipy"):
        if name in row:
            base[name] = f"{row[name] / row['ours']:.1f} x slower"
    if "agree" in row:
        noise = "yes, but for float32 noise" if row["margin"] < 2e-6 else "no"
        base["agree"] = "yes" if row["agree"] else noise
    stages = " + ".join(f"{ms:.1f}" for ms in row["stages"].values())
    memory = "" if row["memory"] is None else f"{row['memory']:.0f}"
    return [
        f"{row['frames']} x {row['tokens'] // row['frames']} x {row['width']}",
        f"{100 * row['K'] / row['tokens']:.3g}%",
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


def _table(title: str, rows: list[dict]) -> None:
    if not rows:
        return
    print(f"\n{title}:\n\n{_line(rows[0])}\n" + _line(["---"] * len(rows[0])))
    for row in rows:
        print(_line(f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
