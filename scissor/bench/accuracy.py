"""How many questions about made clips a model answers right, from all tokens and from few.

Knows how the evaluation (scissor/scenes/exam.py) is run, kept and tabulated. Leaves clips,
questions and scoring to scissor/scenes, its further parts to parts.py, answering to a model.

Every clip under every condition becomes one line of the file --out as soon as it is measured; a
run with the same file continues where the last one stopped, with more clips or methods too. With
--report nothing is measured: table and chart are made from what the file holds. --seed gives other
clips, for tuning: what is reported comes from the evaluation's own, and was not tuned on them.

On a GPU many answers are written at once and clips are shared by several processes (--batch,
--workers), since one answer alone leaves it idle; nothing is timed then. With --beside a run of
another machine stands beside this one: the same clips, what is right, which answers are the same,
and the seconds that this one has not.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from scissor.bench.beside import beside
from scissor.bench.chart import chart
from scissor.bench.comparison import compare, complete, condition_of, markdown
from scissor.bench.intervals import Estimate, average, mean_over_kinds, share, table
from scissor.bench.measure import Condition, measure
from scissor.bench.parts import PARTS
from scissor.bench.workers import MADE, Todo, add_arguments, made, way
from scissor.methods import METHODS
from scissor.models.contract import VideoLLM
from scissor.scenes import Clip, Library, Reader, exam_library
from scissor.scenes.questions import KINDS

ACROSS = 7  # conditions beside each other in a terminal
QUICK = 60  # clips of a run without --limit: 12 questions of each kind, about five minutes


def conditions(methods: Iterable[str], retentions: Iterable[float]) -> list[Condition]:
    """All tokens once if 1 is among the retentions, then every method at every other one.

    Raises ValueError for an unknown method or a retention outside (0, 1].
    """
    chosen = list(METHODS) if list(methods) == ["all"] else list(methods)
    shares = sorted(set(retentions), reverse=True)
    if unknown := sorted(set(chosen) - set(METHODS)):
        raise ValueError(f"unknown method {unknown[0]!r}; there are {', '.join(METHODS)}")
    if wrong := [r for r in shares if not 0 < r <= 1]:
        raise ValueError(f"a retention must be above 0 and at most 1, not {wrong[0]:g}")
    full = [Condition("all", 1.0)] if 1 in shares else []
    return full + [Condition(m, r) for m in chosen for r in shares if r < 1]


def run(
    model: VideoLLM | None,
    clips: list[Clip],
    wanted: list[Condition],
    *,
    library: Library,
    frames: int = 8,
    done: Iterable[dict] = (),
    keep: Callable[[dict], None] = lambda row: None,
    each: Callable[..., Iterable[dict]] = measure,
    spread: Callable[[Todo], Iterable[dict]] | None = None,
) -> list[dict]:
    """Rows of all clips under all conditions; those in `done` are not measured again.

    keep: gets every new row at once. each: measures one clip (parts.Part.measure). spread: measures
    them all elsewhere (workers.py), without `model` and `each`.
    """
    numbers = {clip.index for clip in clips}
    wanted = [condition for condition in wanted if condition.reached(frames)]
    rows = {_key(row): row for row in done}
    reader = Reader(library.words)
    options = {"library": library, "reader": reader, "frames": frames}

    def missing(clip: Clip) -> list[Condition]:
        return [c for c in wanted if (clip.index, c.method, c.retention) not in rows]

    todo = [(clip, missing(clip)) for clip in clips]
    todo = [(clip, left) for clip, left in todo if left]
    here = (row for clip, left in todo for row in each(model, clip, left, **options))
    for row in spread(todo) if spread else here:
        rows[_key(row)] = row
        keep(row)
    keys = {(c.method, c.retention) for c in wanted}
    return [r for k, r in sorted(rows.items()) if k[0] in numbers and k[1:] in keys]


def _key(row: dict) -> tuple[int, str, float]:
    return row["clip"], row["method"], row["retention"]


def summarise(rows: list[dict]) -> dict[str, dict[str, Estimate]]:
    """By kind and condition; "list (F1)" beside the exact list, then the mean over the kinds."""
    columns: dict[str, list[tuple[int, dict]]] = {}
    for row in rows:
        title = Condition(row["method"], row["retention"]).title
        columns.setdefault(title, []).extend((row["clip"], a) for a in row["answers"])
    found: dict[str, dict[str, Estimate]] = {}
    for title, answers in columns.items():
        for kind in KINDS:
            values = [a["score"] for _, a in answers if a["kind"] == kind]
            if values:
                estimate = average if kind == "describe" else share
                found.setdefault(kind, {})[title] = estimate(values)
        partial = [a["overlap"] for _, a in answers if "overlap" in a]
        if partial:
            found.setdefault("list (F1)", {})[title] = average(partial)
        clustered = ((clip, a["kind"], a["score"]) for clip, a in answers)
        found.setdefault("mean", {})[title] = mean_over_kinds(clustered)
    order = [*KINDS, "mean", "list (F1)"]
    return {kind: found[kind] for kind in order if kind in found}


def made_with(path: Path) -> dict[str, str]:
    """The device and the decoder's type of an earlier run; MADE where it does not say."""
    with path.open(encoding="utf-8") as file:
        header = json.loads(file.readline() or "{}")
    return {name: header.get(name, usual) for name, usual in MADE.items()}


def read_rows(path: Path, header: dict) -> list[dict]:
    """Rows of an earlier run. Raises ValueError if it was made under another header.

    A last line that was cut short is dropped. What the header does not say of MADE is not asked.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for i, line in enumerate(lines):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            if i < len(lines) - 1:
                raise ValueError(f"{path} is damaged in line {i + 1}; take another file") from error
    found = made_with(path)
    if rows and found | header != found | rows[0]:
        raise ValueError(f"{path} holds a run with other settings; take another file")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return rows[1:]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scissor bench accuracy", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", default="mini", help="a known name, hub repository or folder")
    parser.add_argument("--methods", nargs="+", default=["scc"], help=f"all, {', '.join(METHODS)}")
    parser.add_argument("--retention", nargs="+", type=float, default=[1, 0.5, 0.1])
    parser.add_argument("--part", choices=list(PARTS), default="exam", help="of the evaluation")
    limit = f"clips, {QUICK} (about five minutes); 0 for all {PARTS['exam'].size}"
    parser.add_argument("--limit", type=int, default=QUICK, help=limit)
    parser.add_argument("--frames", type=int, default=8, help="frames of a clip (8)")
    parser.add_argument("--seed", type=int, help="another one: other clips")
    parser.add_argument("--library", type=Path, help="other pictures, such as the training's")
    add_arguments(parser)
    parser.add_argument("--out", type=Path, help="JSON lines; an existing file is continued")
    parser.add_argument("--report", action="store_true", help="measure nothing: report on --out")
    parser.add_argument("--beside", type=Path, metavar="OTHER.jsonl", help="an earlier run's --out")
    parser.add_argument("--table", type=Path, help="write the comparison as Markdown")
    parser.add_argument("--chart", type=Path, help="write the comparison as SVG")
    return parser


def main(argv: list[str]) -> int:
    """The command. Raises ValueError for arguments that cannot be met."""
    args = _parser().parse_args(argv)
    wanted = conditions(args.methods, args.retention)
    library = Library.open(args.library) if args.library else exam_library()
    part = PARTS[args.part]
    if args.part != "exam" and (args.table or args.chart or args.beside):
        raise ValueError(
            "--table, --chart and --beside compare methods on the exam; leave out --part"
        )
    seed = part.seed if args.seed is None else args.seed
    header = {"model": args.model, "frames": args.frames, **part.pins(library, seed)}
    header |= made(args)
    done = read_rows(args.out, header) if args.out else []
    if args.report:
        rows = complete(done, wanted)
        if not rows:
            raise ValueError("there is nothing to report on: no clip was measured in full")
    else:
        clips = part.clips(args.limit if 0 < args.limit < part.size else part.size, library, seed)
        keep = _writer(args.out, header, done, len(clips) * len(wanted))
        options = {"library": library, "frames": args.frames, "done": done, "keep": keep}
        rows = run(clips=clips, wanted=wanted, **options, **way(args, part.measure))
    same = {name: value for name, value in header.items() if name not in MADE}
    others = read_rows(args.beside, same) if args.beside else []
    _report(args, rows, wanted, others)
    return 0


def _report(
    args: argparse.Namespace, rows: list[dict], wanted: list[Condition], others: list[dict]
) -> None:
    """Print the tables; write the comparison where it is wanted. others: those of --beside."""
    clips = len({row["clip"] for row in rows})
    there = {condition_of(row) for row in rows}
    titles = [condition.title for condition in wanted if condition in there]
    told = PARTS[args.part].told
    print(f"{args.model}, {clips} clips of {args.frames} frames: {told} [95%]\n")
    found = PARTS[args.part].shown(summarise(rows))
    for start in range(0, len(titles), ACROSS):
        print(table(found, titles[start : start + ACROSS]) + "\n")
    if args.part != "exam":
        return
    lines = compare(rows, others)
    methods = [m for m in dict.fromkeys(c.method for c in wanted) if m != "all"]
    told = markdown(lines, [m for m in methods if any(c.method == m for c in there)])
    if args.beside:
        names = _device(args.out), _device(args.beside)
        told += "\n\n" + beside(rows, others, names)
    print(told)
    if args.table:
        args.table.write_text(told + "\n", encoding="utf-8")
    if args.chart:
        args.chart.write_text(chart(lines), encoding="utf-8")


def _device(path: Path | None) -> str:
    return "{device}, {dtype}".format(**made_with(path)) if path else "this run"


def _writer(path: Path | None, header: dict, done: list[dict], total: int) -> Callable:
    if path and not (path.exists() and path.stat().st_size):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(header) + "\n", encoding="utf-8")
    count, start = [0], time.perf_counter()

    def keep(row: dict) -> None:
        if path:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        count[0] += 1
        pace = (time.perf_counter() - start) / count[0]
        left = max(0, total - len(done) - count[0]) * pace
        print(f"\r{count[0] + len(done)}/{total}, {left:.0f} s left ", end="", file=sys.stderr)

    return keep
