"""The benchmark's rows as one table: methods side by side at each retention.

Knows what a line of it holds and how methods are compared in pairs. Leaves measuring to measure.py,
statistics to intervals.py, the chart to chart.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from scissor.bench.intervals import Estimate, difference, mean_over_kinds
from scissor.bench.measure import Condition
from scissor.methods import METHODS

OURS = "scc"


@dataclass(frozen=True)
class Line:
    """What one condition came to.

    right: the mean over the kinds of question. share: of what is right from all tokens; None
    without that. against: right minus SCC's at the same retention, in pairs; None for SCC itself;
    further: the same of the drift. drift, agreement: fidelity's, means over the questions. kept:
    visual tokens in the last layer. mean: over the layers. flops: of the visual tokens' prefill.
    first: median seconds until the first token, compressing included; None if it was not timed.
    """

    condition: Condition
    right: Estimate
    share: float | None
    against: Estimate | None
    further: Estimate | None
    drift: float
    agreement: float
    kept: float
    mean: float
    flops: float
    first: float | None


def complete(rows: Iterable[dict], wanted: Sequence[Condition]) -> list[dict]:
    """The rows of clips that were measured under every condition of which there is any row."""
    rows = [row for row in rows if condition_of(row) in wanted]
    there = {condition_of(row) for row in rows}
    seen: dict[int, set[Condition]] = {}
    for row in rows:
        seen.setdefault(row["clip"], set()).add(condition_of(row))
    return [row for row in rows if seen[row["clip"]] == there]


def condition_of(row: dict) -> Condition:
    """The condition under which a row was measured."""
    return Condition(row["method"], row["retention"])


def compare(rows: Iterable[dict], timed: Iterable[dict] = ()) -> list[Line]:
    """A line for every condition in the rows; all tokens first, then by retention and method.

    timed: rows of another run, whose seconds are told where these have none.
    """
    clocks = seconds_first(timed)
    found: dict[Condition, list[dict]] = {}
    for row in rows:
        found.setdefault(condition_of(row), []).append(row)
    ranks = ranked(found)
    full = next((_right(found[c]).mean for c in ranks if c.method == "all"), None)
    ours = {c: found.get(Condition(OURS, c.retention)) for c in ranks}
    lines = [_line(c, found[c], full, ours[c]) for c in ranks]
    return [replace(line, first=line.first or clocks.get(line.condition)) for line in lines]


def ranked(conditions: Iterable[Condition]) -> list[Condition]:
    """As tables list them: by falling retention, all tokens first, then as the methods stand."""
    order = ["all", *METHODS]
    return sorted(conditions, key=lambda c: (-c.retention, order.index(c.method)))


def seconds_first(rows: Iterable[dict]) -> dict[Condition, float]:
    """Median seconds until the first token, by condition; those that were timed."""
    found: dict[Condition, list[float]] = {}
    for row in rows:
        if "first" in row["seconds"]:
            found.setdefault(condition_of(row), []).append(row["seconds"]["first"])
    return {condition: median(values) for condition, values in found.items()}


def _line(
    condition: Condition, rows: list[dict], full: float | None, ours: list[dict] | None
) -> Line:
    right, answers = _right(rows), [answer for row in rows for answer in row["answers"]]
    compared = ours is not None and condition.method not in ("all", OURS)
    return Line(
        condition=condition,
        right=right,
        share=right.mean / full if full else None,
        against=_against(rows, ours, "score") if compared else None,
        further=_against(rows, ours, "drift") if compared else None,
        drift=fmean(answer["drift"] for answer in answers),
        agreement=fmean(answer["agreement"] for answer in answers),
        kept=fmean(row["kept"] for row in rows),
        mean=fmean(row["mean"] for row in rows),
        flops=fmean(row["flops"] for row in rows),
        first=seconds_first(rows).get(condition),
    )


def _values(rows: Iterable[dict], name: str) -> dict[tuple[int, str], float]:
    """By clip and kind: a clip has one question of a kind at most."""
    return {(row["clip"], a["kind"]): a[name] for row in rows for a in row["answers"]}


def _right(rows: Iterable[dict]) -> Estimate:
    found = _values(rows, "score")
    return mean_over_kinds((clip, kind, score) for (clip, kind), score in found.items())


def _against(rows: Iterable[dict], ours: Iterable[dict], name: str) -> Estimate | None:
    mine, theirs = _values(rows, name), _values(ours, name)
    pairs = [(*key, mine[key] - theirs[key]) for key in mine if key in theirs]
    return difference(pairs) if pairs else None


HEADS = (
    "kept",
    "method",
    "right [95%]",
    "of all",
    "against SCC [95%]",
    "drift",
    "tokens (layers' mean)",
    "GFLOPs",
    "first word",
)


MARKS = {0: "", 1: " ▴", -1: " ▾"}
NOTE = (
    "Right: mean over the kinds of question. Against SCC: in pairs, on the same questions; drift ▾ "
    "or ▴: lower or higher than SCC's, significant in pairs. Tokens and operations are the visual "
    "ones; first word: median, compressing included, encoding not."
)


def markdown(lines: Sequence[Line], methods: Sequence[str] = ()) -> str:
    """The table for a README; `methods` out of reach at a retention get a line of dashes."""
    body = []
    for retention in dict.fromkeys(line.condition.retention for line in lines):
        mine = [line for line in lines if line.condition.retention == retention]
        there = {line.condition.method for line in mine}
        lost = [m for m in methods if m not in there and retention < 1]
        body += [_cells(line) for line in mine]
        body += [[f"{retention:.0%}", METHODS[m].title, *"-------"] for m in lost]
    table = [HEADS, ["---", "---", *["---:"] * (len(HEADS) - 2)], *body]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", NOTE])


def _cells(line: Line) -> list[str]:
    name = line.condition.method
    right, against = line.right, line.against
    told = "" if against is None else _signed(against)
    tokens = f"{line.kept:,.0f}"
    if abs(line.mean - line.kept) > 0.5:
        tokens += f" ({line.mean:,.0f})"
    return [
        f"{line.condition.retention:.0%}",
        "all tokens" if name == "all" else METHODS[name].title,
        f"{100 * right.mean:.1f} [{100 * right.low:.0f}, {100 * right.high:.0f}]",
        "" if line.share is None else f"{line.share:.0%}",
        told,
        f"{line.drift:.2f}{MARKS[line.further.sign if line.further else 0]}",
        tokens,
        f"{line.flops / 1e9:.0f}",
        "-" if line.first is None else f"{line.first:.2f} s",
    ]


def _signed(against: Estimate) -> str:
    low, high = 100 * against.low, 100 * against.high
    told = f"{100 * against.mean:+.1f} [{low:+.0f}, {high:+.0f}]"
    return told if against.sign else f"{told} not significant"
