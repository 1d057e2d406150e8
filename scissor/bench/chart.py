"""The benchmark's chart as an SVG: what stays right against tokens, and against operations.

Knows how lines become marks on paper, without a package for it. Leaves the numbers to
comparison.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import cycle
from math import log

from scissor.bench.comparison import Line
from scissor.draw.palette import PALETTE
from scissor.methods import METHODS

WIDTH, HEIGHT = 1010, 400
PANELS = ((60, 400), (450, 790))  # left and right edge of each
TOP, BOTTOM, LEGEND = 40, 345, 815
INK, FAINT = "#1f2933", "#d5dae0"
COLOURS = (*PALETTE, INK)  # one for each of the methods
DASHES = {"ours": "", "paper": "", "control": "5 4", "ablation": "1.5 3"}
Axis = Callable[[float], float]


def chart(lines: Sequence[Line]) -> str:
    """The SVG's text; its background is white, so that it reads on dark pages too."""
    names = list(dict.fromkeys(c.condition.method for c in lines if c.condition.method != "all"))
    colours = dict(zip(names, cycle(COLOURS)))
    full = [line for line in lines if line.condition.method == "all"]
    marked = full + [line for line in lines if line.condition.method in ("scc", *names[:1])]
    shares = sorted({100 * line.condition.retention for line in lines})
    costs = sorted({line.flops / 1e9 for line in marked})
    total = max(line.kept for line in lines)
    across = (
        ("tokens kept (from the last layer on), %", lambda line: line.kept / total * 100, shares),
        ("operations of the prefill, GFLOPs", lambda line: line.flops / 1e9, costs),
    )
    parts = [_text(60, 22, "right answers, mean over the kinds of question, %", weight=600)]
    means = [100 * line.right.mean for line in lines]
    up = _scale(means, BOTTOM, TOP, pad=0.06)
    for (left, right), (title, value, ticks) in zip(PANELS, across, strict=True):
        along = _scale([*map(value, lines), *ticks], left, right, logs=True, pad=0.03)
        parts += _levels(left, right, means, up) + _ticks(ticks, along)
        parts.append(_text((left + right) / 2, BOTTOM + 40, title, anchor="middle"))
        for name, colour in colours.items():
            mine = [line for line in lines if line.condition.method == name]
            spots = [(along(value(n)), up(100 * n.right.mean)) for n in full + mine]
            parts.append(_line(sorted(spots), colour, METHODS[name].kind))
    body = "\n".join(parts + _legend(colours))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _scale(
    values: Sequence[float], start: float, end: float, *, logs: bool = False, pad: float = 0.0
) -> Axis:
    """From values to pixels, start to end, with a share of room on both sides."""
    step: Axis = log if logs else float
    low, high = step(min(values)), step(max(values))
    room = pad * ((high - low) or 1.0)
    low, high = low - room, high + room
    return lambda value: start + (step(value) - low) / (high - low) * (end - start)


def _levels(left: float, right: float, means: Sequence[float], up: Axis) -> list[str]:
    """Rules across a panel, every five percent."""
    parts = []
    for level in range(0, 101, 5):
        if min(means) - 2 <= level <= max(means) + 2:
            parts.append(_rule(left, up(level), right, up(level)))
            parts.append(_text(left - 8, up(level) + 4, str(level), anchor="end"))
    return parts


def _ticks(values: Sequence[float], along: Axis) -> list[str]:
    """Rules up a panel, with their numbers where there is room for them."""
    parts, last = [], float("-inf")
    for value in values:
        if along(value) - last > 24:
            last = along(value)
            parts.append(_rule(last, TOP, last, BOTTOM))
            parts.append(_text(last, BOTTOM + 18, f"{value:.0f}", anchor="middle"))
    return parts


def _line(spots: Sequence[tuple[float, float]], colour: str, kind: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    width = 3 if kind == "ours" else 1.6
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in spots)
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'stroke-dasharray="{DASHES[kind]}"/><g fill="{colour}">{dots}</g>'
    )


def _legend(colours: Mapping[str, str]) -> list[str]:
    parts = []
    for i, (name, colour) in enumerate(colours.items()):
        y = TOP + 10 + 22 * i
        parts.append(_line([(LEGEND, y), (LEGEND + 26, y)], colour, METHODS[name].kind))
        parts.append(_text(LEGEND + 34, y + 4, METHODS[name].title))
    return parts


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{FAINT}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )
