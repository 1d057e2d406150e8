"""Charts of a compression: where tokens go, how large groups get, what every threshold keeps.

Knows Plotly figures that suit a light and a dark page alike. Leaves counting to scc.py and
overlay.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch

from scissor.budget import Curve
from scissor.draw.overlay import View
from scissor.draw.palette import colour_of
from scissor.types import Compression

INK = "#7d8590"  # readable on white and on near-black
ACCENT = "#4d7df0"
MUTED = "#a9b2bd"


def bare_layout(height: int = 230) -> dict[str, Any]:
    """A layout without background, frame or legend; the page's style sheet sets text and grid."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "IBM Plex Sans, system-ui, sans-serif", "size": 13, "color": INK},
        "xaxis": {"title": {"font": {"size": 13}}},
        "yaxis": {"title": {"font": {"size": 13}}},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": "pan",
        "bargap": 0.25,
    }


def funnel(compression: Compression) -> go.Figure:
    """Tokens in, after step 1, kept: three bars, each with its share of the input."""
    total, middle, kept = compression.counts
    figure = go.Figure(layout=bare_layout())
    figure.add_bar(
        x=[total, middle, kept],
        y=["in", "after step 1", "kept"],
        orientation="h",
        text=[f"{n:,} · {n / max(total, 1):.1%}" for n in (total, middle, kept)],
        textposition="outside",
        marker={"color": [MUTED, "#7fa0f3", ACCENT]},
        hoverinfo="skip",
        cliponaxis=False,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True)
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, 1.8 * max(total, 1)])
    return figure


def tokens_per_frame(compression: Compression) -> go.Figure:
    """Kept tokens by the frame of their hub, over step 1's components in each frame."""
    frames = len(compression.group)
    after = [len(row[row >= 0].unique()) for row in compression.spatial]
    kept = torch.bincount(compression.hub[:, 0], minlength=frames).tolist()
    x = list(range(1, frames + 1))
    figure = go.Figure(layout=bare_layout() | {"barmode": "overlay"})
    figure.add_bar(
        x=x,
        y=after,
        marker={"color": MUTED},
        hovertemplate="frame %{x}: %{y} after step 1<extra></extra>",
    )
    figure.add_bar(
        x=x, y=kept, marker={"color": ACCENT}, hovertemplate="frame %{x}: %{y} kept<extra></extra>"
    )
    figure.update_xaxes(
        title_text="frame", dtick=max(1, frames // 8), fixedrange=True, automargin=True
    )
    figure.update_yaxes(title_text="tokens", fixedrange=True, automargin=True)
    return figure


def largest_groups(view: View, most: int = 24) -> go.Figure:
    """Sizes of the largest groups in their colours; the rest is summed up in the title."""
    order = torch.sort(view.size, descending=True, stable=True).indices
    order = [int(g) for g in order if view.size[g] > 1]
    shown, rest = order[:most], len(order[most:])
    figure = go.Figure(layout=bare_layout())
    figure.add_bar(
        x=[f"{k + 1}" for k in range(len(shown))],
        y=[int(view.size[g]) for g in shown],
        marker={"color": [colour_of(int(view.colour[g])) for g in shown]},
        hovertemplate="%{y} tokens<extra></extra>",
    )
    single = int((view.size == 1).sum())
    note = f"{single:,} single tokens" + (f", {rest:,} smaller groups" if rest else "")
    figure.update_xaxes(title_text=f"and {note}", showticklabels=False, fixedrange=True)
    figure.update_yaxes(title_text="tokens", type="log", dtick=1, fixedrange=True, automargin=True)
    return figure


def retention_curve(curve: Curve, compression: Compression) -> go.Figure:
    """What every threshold keeps, after step 1 and in the end, with the present one marked."""
    total = max(1, compression.counts[0])
    figure = go.Figure(layout=bare_layout())
    for counts, name, colour, dash in (
        (curve.spatial, "after step 1", MUTED, "dot"),
        (curve.kept, "kept", ACCENT, "solid"),
    ):
        figure.add_scatter(
            x=curve.taus,
            y=np.asarray(counts) / total,
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"threshold %{{x:.3f}}: %{{y:.1%}} {name}<extra></extra>",
        )
    if compression.tau_temporal is not None:
        figure.add_scatter(
            x=[compression.tau_temporal],
            y=[compression.retention],
            mode="markers",
            marker={"size": 12, "color": ACCENT, "line": {"width": 2, "color": "#ffffff"}},
            hoverinfo="skip",
        )
    moves = np.flatnonzero(np.diff(curve.kept) > 0)  # below and above these nothing happens
    low, high = (moves[0], moves[-1] + 1) if len(moves) else (0, -1)
    figure.update_xaxes(title_text="threshold", range=[curve.taus[low], curve.taus[high]])
    figure.update_yaxes(title_text="retention", type="log", range=[-2.2, 0.05], tickformat=".0%")
    figure.update_yaxes(tickvals=[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(fixedrange=True, automargin=True)
    return figure
