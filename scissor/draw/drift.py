"""How far answers drift as tokens go: a line a method, against tokens kept and against operations.

Knows Plotly figures that suit a light and a dark page alike. Leaves measuring to fidelity.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from scissor.draw.charts import ACCENT, bare_layout
from scissor.draw.palette import PALETTE
from scissor.fidelity import Point
from scissor.methods import METHODS

FLOOR = 1e-4  # a drift below it is drawn there: the scale is logarithmic
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")


def drift_chart(points: Sequence[Point], full: int | None = None) -> go.Figure:
    """Drift against the share of tokens kept, or of the `full` prompt's operations if given.

    Both axes are logarithmic; lower is better.
    """
    figure = go.Figure(layout=bare_layout(300))
    for k, method in enumerate(dict.fromkeys(point.method for point in points)):
        line = sorted((p for p in points if p.method == method), key=lambda p: p.retention)
        colour = ACCENT if k == 0 else PALETTE[(5 * k + 2) % len(PALETTE)]
        figure.add_scatter(
            x=[p.flops / full if full else p.kept / p.total for p in line],
            y=[max(p.drift, FLOOR) for p in line],
            customdata=[[p.drift, p.agreement, p.kept / p.total] for p in line],
            name=METHODS[method].title,
            mode="lines+markers",
            line={"color": colour, "width": 3 if k == 0 else 1.75},
            marker={"symbol": SYMBOLS[k % len(SYMBOLS)], "size": 8},
            hovertemplate="%{customdata[2]:.1%} kept: drift %{customdata[0]:.3f}, "
            "%{customdata[1]:.0%} of the answer's tokens agree<extra>%{fullData.name}</extra>",
        )
    title = "prefill operations" if full else "tokens kept"
    ticks = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 1]
    figure.update_xaxes(title=title, type="log", tickvals=ticks, tickformat=".0%")
    figure.update_yaxes(type="log", dtick=1, exponentformat="power")
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(fixedrange=True, automargin=True)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": -0.28, "x": 0})
    return figure
