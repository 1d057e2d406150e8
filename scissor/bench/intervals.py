"""Means with 95% confidence intervals.

Knows statistics only. Leaves what was measured to the benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

Z = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A mean of n values, in [0, 1] if nothing else is said, and its 95% confidence interval."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies above or below 0, else 0."""
        return (self.low > 0) - (self.high < 0)


def share(values: Sequence[float]) -> Estimate:
    """Of zeros and ones: Wilson's interval. Raises ValueError for other values or for none."""
    if not values or set(values) - {0.0, 1.0}:
        raise ValueError("a share is of zeros and ones")
    n, mean = len(values), sum(values) / len(values)
    middle = (mean + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(mean * (1 - mean) / n + Z * Z / (4 * n * n))
    return Estimate(mean, max(0.0, middle - half), min(1.0, middle + half), n)


def average(values: Sequence[float]) -> Estimate:
    """Of values between 0 and 1: the normal interval, cut at 0 and 1."""
    if not values:
        raise ValueError("no values")
    n, mean = len(values), sum(values) / len(values)
    spread = sqrt(sum((v - mean) ** 2 for v in values) / max(1, n - 1) / n)
    return Estimate(mean, max(0.0, mean - Z * spread), min(1.0, mean + Z * spread), n)


def mean_over_kinds(rows: Iterable[tuple[int, str, float]]) -> Estimate:
    """The mean of the kinds' means. rows: (cluster, kind, value).

    Questions about one clip are not independent: the variance is summed over clusters of what each
    adds to the mean (linearised, as in a ratio estimator).
    """
    mean, half, total = _over_kinds(rows)
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half), total)


def difference(rows: Iterable[tuple[int, str, float]]) -> Estimate:
    """As mean_over_kinds, of what one run has more than another in each pair, of either sign.

    Significant where the interval does not hold 0; no correction is made for many comparisons.
    """
    mean, half, total = _over_kinds(rows)
    return Estimate(mean, mean - half, mean + half, total)


def _over_kinds(rows: Iterable[tuple[int, str, float]]) -> tuple[float, float, int]:
    """(mean, half of the interval, values)."""
    kinds: dict[str, list[tuple[int, float]]] = {}
    for cluster, kind, value in rows:
        kinds.setdefault(kind, []).append((cluster, value))
    means = {kind: sum(v for _, v in found) / len(found) for kind, found in kinds.items()}
    pull: dict[int, float] = {}
    for kind, found in kinds.items():
        for cluster, value in found:
            part = (value - means[kind]) / len(found) / len(kinds)
            pull[cluster] = pull.get(cluster, 0.0) + part
    count = len(pull)
    half = Z * sqrt(sum(v * v for v in pull.values()) * count / max(1, count - 1))
    return sum(means.values()) / len(means), half, sum(map(len, kinds.values()))


def table(rows: Mapping[str, Mapping[str, Estimate]], columns: Sequence[str]) -> str:
    """Percentages with their intervals, a line a row, for a terminal or a fenced block."""
    cells = {
        name: [_cell(row.get(column)) for column in columns] + [str(_n(row, columns))]
        for name, row in rows.items()
    }
    heads = ["", *columns, "n"]
    body = [[name, *cell] for name, cell in cells.items()]
    wide = [max(len(line[i]) for line in [heads, *body]) for i in range(len(heads))]
    lines = [
        "  ".join(
            text.ljust(wide[i]) if i == 0 else text.rjust(wide[i]) for i, text in enumerate(line)
        )
        for line in [heads, *body]
    ]
    return "\n".join(line.rstrip() for line in lines)


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    low, high = (f"{100 * edge:.0f}" for edge in (estimate.low, estimate.high))
    return f"{100 * estimate.mean:.1f} [{low}, {high}]"


def _n(row: Mapping[str, Estimate], columns: Sequence[str]) -> int:
    return max((row[column].n for column in columns if column in row), default=0)
