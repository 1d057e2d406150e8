"""The model card's tables: every part of the evaluation, measured where it is missing.

Knows which runs the card needs and how their tables look. Leaves measuring to accuracy.py, to which
arguments that are not known here go (such as --model).

Each run is a file of FOLDER: PART-FRAMES.jsonl. What is there is not measured again, so the command
can be stopped and repeated; with --report it only prints what the files hold.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scissor.bench import accuracy
from scissor.bench.comparison import complete, condition_of
from scissor.bench.intervals import Estimate, difference
from scissor.bench.parts import PARTS

LENGTHS = (4, 8, 16, 32)
Summary = Mapping[str, Mapping[str, Estimate]]


def markdown(found: Summary, columns: Sequence[str]) -> str:
    """Percentages with their 95% intervals; the mean over the kinds stands out."""
    lines = [["", *columns, "n"], ["---", *["---:"] * (len(columns) + 1)]]
    for name, row in found.items():
        bold = "**" if name == "mean" else ""
        cells = [f"{bold}{_cell(row[c])}{bold}" if c in row else "-" for c in columns]
        lines.append([f"{bold}{name}{bold}", *cells, str(max(e.n for e in row.values()))])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(estimate: Estimate) -> str:
    return f"{100 * estimate.mean:.1f} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def part_table(part: str, rows: list[dict]) -> str:
    """A part's kinds by condition, over the clips that were measured under all of them."""
    wanted = list({condition_of(row): None for row in rows})
    rows = complete(rows, wanted)
    found = PARTS[part].shown(accuracy.summarise(rows))
    titles = sorted({c for row in found.values() for c in row}, key=[c.title for c in wanted].index)
    return f"{len({row['clip'] for row in rows})} clips\n\n{markdown(found, titles)}"


def lengths_table(runs: Mapping[int, list[dict]]) -> str:
    """All tokens at several numbers of frames, over the clips that were measured at all of them.

    Below it, what the mean gains with the frames: in pairs, on the same questions.
    """
    full = {frames: [r for r in rows if r["method"] == "all"] for frames, rows in runs.items()}
    shared = set.intersection(*({row["clip"] for row in rows} for rows in full.values()))
    full = {n: [r for r in rows if r["clip"] in shared] for n, rows in sorted(full.items())}
    found: dict[str, dict[str, Estimate]] = {}
    for frames, rows in full.items():
        for kind, row in accuracy.summarise(rows).items():
            found.setdefault(kind, {})[f"{frames} frames"] = row["all"]
    first, *later = full
    gains = (f"{n} frames: {_gain(full[n], full[first])}" for n in later)
    told = f"Against {first} frames, in pairs: {'; '.join(gains)}." if later and shared else ""
    table = markdown(found, [f"{frames} frames" for frames in full])
    return f"{len(shared)} clips, all tokens\n\n{table}\n\n{told}".rstrip()


def _gain(rows: Iterable[dict], before: Iterable[dict]) -> str:
    mine, theirs = _scores(rows), _scores(before)
    gain = difference((clip, kind, mine[clip, kind] - theirs[clip, kind]) for clip, kind in mine)
    return f"{100 * gain.mean:+.1f} points [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"


def _scores(rows: Iterable[dict]) -> dict[tuple[int, str], float]:
    """By clip and kind: a clip has one question of a kind at most."""
    return {(row["clip"], a["kind"]): a["score"] for row in rows for a in row["answers"]}


def report(folder: Path, frames: int, lengths: Sequence[int]) -> str:
    """All tables of which there is a run, under headings. Raises ValueError if there is none."""
    runs = {(p, n): _read(folder, p, n) for p in PARTS for n in {*lengths, frames}}
    told = [
        f"### {part}: {PARTS[part].told}, {frames} frames\n\n{part_table(part, runs[part, frames])}"
        for part in PARTS
        if runs[part, frames]
    ]
    full = {n: runs["exam", n] for n in sorted(lengths) if runs["exam", n]}
    if len(full) > 1:
        told.append(f"### exam: {PARTS['exam'].told}, by length\n\n{lengths_table(full)}")
    if not told:
        raise ValueError(f"{folder} holds no run of the evaluation at {frames} frames")
    return "\n\n".join(told)


def _file(folder: Path, part: str, frames: int) -> Path:
    return folder / f"{part}-{frames}.jsonl"


def _read(folder: Path, part: str, frames: int) -> list[dict]:
    path = _file(folder, part, frames)
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        header = json.loads(file.readline())
    return accuracy.read_rows(path, header)


def main(argv: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="scissor bench card", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--frames", type=int, default=8, help="frames of a clip (8)")
    parser.add_argument("--lengths", nargs="*", type=int, default=LENGTHS, help="all tokens, too")
    parser.add_argument("--retention", nargs="+", default=["1", "0.5", "0.35", "0.1"])
    parser.add_argument("--limit", default="0", help="clips of each part; 0 for all")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    args, rest = parser.parse_known_args(argv)
    runs = [(part, args.frames, args.retention) for part in PARTS]
    runs += [("exam", n, ["1"]) for n in args.lengths if n != args.frames]
    for part, frames, retention in [] if args.report else runs:
        how = ["--part", part, "--frames", str(frames), "--limit", args.limit, *rest]
        file = _file(args.folder, part, frames)
        accuracy.main([*how, "--retention", *retention, "--out", str(file)])
    print("\n" + report(args.folder, args.frames, args.lengths))
    return 0
