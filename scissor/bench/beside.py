"""One run of the benchmark beside another: the same clips on two machines.

Knows what may be compared, row by row: what is right, which answers are the same to the letter, how
far the drifts lie apart. Leaves what a run holds to measure.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from scissor.bench.comparison import condition_of, ranked, seconds_first
from scissor.bench.intervals import mean_over_kinds
from scissor.bench.measure import Condition
from scissor.methods import METHODS


def beside(rows: Iterable[dict], others: Iterable[dict], names: tuple[str, str]) -> str:
    """A Markdown table of the conditions that both runs have, over the clips that both have.

    names: of the two runs. Raises ValueError if they have nothing in common.
    """
    mine, theirs = _by_condition(rows), _by_condition(others)
    pairs = {
        condition: [(mine[condition][clip], theirs[condition][clip]) for clip in clips]
        for condition in mine
        if (clips := sorted(mine[condition].keys() & theirs.get(condition, {}).keys()))
    }
    if not pairs:
        raise ValueError("the two runs have no clip under the same condition in common")
    clocks = seconds_first(row for found in pairs.values() for _, row in found)
    heads = ["kept", "method", "questions", *(f"right, {name}" for name in names)]
    heads += ["same answers", "drifts apart", f"first word, {names[1]}"]
    rule = ["---", "---", *["---:"] * (len(heads) - 2)]
    body = [_cells(condition, pairs[condition], clocks) for condition in ranked(pairs)]
    table = [f"| {' | '.join(line)} |" for line in (heads, rule, *body)]
    every = [pair for found in pairs.values() for pair in _answers(found)]
    note = f"{_alike(every):.1%} of {len(every):,} answers are the same, letter by letter."
    return "\n".join([*table, "", note])


def _by_condition(rows: Iterable[dict]) -> dict[Condition, dict[int, dict]]:
    found: dict[Condition, dict[int, dict]] = {}
    for row in rows:
        found.setdefault(condition_of(row), {})[row["clip"]] = row
    return found


def _answers(pairs: Iterable[tuple[dict, dict]]) -> list[tuple[dict, dict]]:
    """Pairs of answers to the same question."""
    return [both for one, two in pairs for both in zip(one["answers"], two["answers"], strict=True)]


def _alike(pairs: list[tuple[dict, dict]]) -> float:
    return fmean(one["answer"] == two["answer"] for one, two in pairs)


def _right(rows: Iterable[dict]) -> str:
    scores = [(row["clip"], a["kind"], a["score"]) for row in rows for a in row["answers"]]
    return f"{100 * mean_over_kinds(scores).mean:.1f}"


def _cells(
    condition: Condition, pairs: list[tuple[dict, dict]], clocks: dict[Condition, float]
) -> list[str]:
    answers = _answers(pairs)
    apart = fmean(abs(one["drift"] - two["drift"]) for one, two in answers)
    first = clocks.get(condition)
    return [
        f"{condition.retention:.0%}",
        "all tokens" if condition.method == "all" else METHODS[condition.method].title,
        str(len(answers)),
        *(_right(side) for side in zip(*pairs, strict=True)),
        f"{_alike(answers):.1%}",
        f"{apart:.4f}",
        "-" if first is None else f"{first:.2f} s",
    ]
