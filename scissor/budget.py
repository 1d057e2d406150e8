"""Thresholds and budgets: which tau keeps how many tokens.

Knows only a function count(tau), which rises with tau but for small reversals. Leaves what is
counted, and how, to scc.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Count = Callable[[float], int]
Point = tuple[float, int]  # a threshold and the count there

RESOLUTION = 1e-7  # float32 cosines near 1 are 6e-8 apart: closer thresholds say nothing new


@dataclass(frozen=True, eq=False)
class Curve:
    """What every threshold keeps of one clip.

    taus: [P] float64, ascending. spatial: [P] int64, tokens after step 1, exact. kept: [P] int64,
    tokens after both steps: exact at these thresholds, not monotone between them.
    """

    taus: np.ndarray
    spatial: np.ndarray
    kept: np.ndarray

    @property
    def points(self) -> list[Point]:
        """[(tau, kept)], ascending: what `solve` need not probe again."""
        return list(zip(self.taus.tolist(), self.kept.tolist(), strict=True))


def sample_curve(count: Count, taus: Iterable[float], total: int, points: int) -> list[Point]:
    """Points of count(tau), ascending in tau: at the given taus, then where the curve is steepest.

    Steep is measured on the retention count / total and on its logarithm alike, so that the few
    tokens of low retentions get their share of `points`; narrow gaps count less, so that a jump
    does not take them all.
    """
    seen = {tau: count(tau) for tau in taus}

    def height(tau: float) -> float:
        return seen[tau] / total + math.log(max(seen[tau], 1)) / math.log(total + 1)

    while len(seen) < points:
        order = sorted(seen)
        gaps = [
            (abs(height(b) - height(a)) * math.sqrt(b - a), (a + b) / 2)
            for a, b in pairwise(order)
            if b - a > RESOLUTION
        ]
        if not gaps or max(gaps)[0] == 0:
            break
        new = max(gaps)[1]
        seen[new] = count(new)
    return sorted(seen.items())


def solve(
    count: Count,
    target: int,
    lo: float = -1.0,
    hi: float = 1.0,
    known: Iterable[Point] = (),
    probes: int = 16,
    within: int = 0,
) -> Point:
    """The threshold in [lo, hi] whose count is nearest to the target: (tau, count(tau)).

    A bisection guided by the counts at its ends; then, since the count is not monotone, the widest
    gaps beside its best probe. Ends when the target is met, but for `within`, or after `probes`
    calls of count.
    known: points that need no probe. Of equal misses the smaller count wins, then the smaller tau.
    """
    seen = dict(known)
    high = min((tau for tau in seen if seen[tau] >= target), default=hi)
    low = max((tau for tau in seen if tau < high), default=lo)
    for turn in range(max(probes, not seen)):
        if any(abs(kept - target) <= within for kept in seen.values()):
            break
        if turn <= 0.75 * probes and high - low > RESOLUTION:
            tau = _between(low, high, seen, target, middle=turn % 3 == 2)
            low, high = (tau, high) if seen.setdefault(tau, count(tau)) < target else (low, tau)
        else:
            tau = _beside(_best(seen, target), seen, lo, hi) if seen else lo
            if tau is None:
                break
            seen[tau] = count(tau)
    best = _best(seen, target)
    return best, seen[best]


def _best(seen: dict[float, int], target: int) -> float:
    return min(seen, key=lambda tau: (abs(seen[tau] - target), seen[tau], tau))


def _between(low: float, high: float, seen: dict[float, int], target: int, middle: bool) -> float:
    """Where the target should lie if log(count) were a line in tau, or simply the middle."""
    a, b = seen.get(low), seen.get(high)
    share = 0.5
    if not middle and a and b and a < target < b:
        share = min(max(math.log(target / a) / math.log(b / a), 0.05), 0.95)
    return low + (high - low) * share


def _beside(best: float, seen: dict[float, int], lo: float, hi: float) -> float | None:
    """An unseen end of the range next to `best`, or the middle of the wider gap next to it.

    None where both gaps are closed.
    """
    taus = sorted({lo, hi, *seen})
    at = taus.index(best)
    near = taus[max(0, at - 1) : at + 2]
    unseen = [tau for tau in near if tau not in seen]
    if unseen:
        return unseen[0]
    gap, tau = max(((b - a, (a + b) / 2) for a, b in pairwise(near)), default=(0.0, best))
    return tau if gap > RESOLUTION else None
