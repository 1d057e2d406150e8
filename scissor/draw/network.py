"""The similarity graph as a Plotly figure.

Knows lines, dots and hover text. Leaves the graph and its layout to graph.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from scissor.draw.charts import bare_layout
from scissor.draw.graph import Places, SimilarityGraph, force_places, grid_places
from scissor.draw.overlay import View
from scissor.draw.palette import PALETTE, SINGLE, colour_of
from scissor.draw.weakest import WeakLink

GREY = "#8a919c"
MARK = "#ff9d00"  # seen on light and dark; no group has it
PLATE = "#12161b"  # behind the frames, so that light colours show on a light page too


def network_figure(
    shown: SimilarityGraph,
    view: View,
    grid: tuple[int, int],
    *,
    layout: str = "grid",
    pictures: Sequence[str] = (),
    aspect: float = 1.0,
    only: int | None = None,
    link: WeakLink | None = None,
    narrow: bool = False,
) -> go.Figure:
    """Nodes as dots, edges as lines, both in their group's colour.

    layout: "grid" stands every node at its cell, over `pictures` (a data URI a frame) where given,
    "force" by forces. aspect: a cell's width over its height. only: fade all but this group.
    link: the edge to mark. narrow: for a phone.
    """
    on_frames = layout == "grid"
    wide, height = (0.9, 400) if narrow else (1.8, 560)
    places = grid_places(shown, len(view.ids), grid) if on_frames else force_places(shown, wide)
    crowded = on_frames and shown.frame is None
    figure = go.Figure(layout=bare_layout(height=height))
    for trace in [
        *_lines(shown, view, places, only, crowded),
        _dots(shown, view, places, grid, only),
    ]:
        figure.add_trace(trace)
    if link is not None and link.a in places and link.b in places:
        figure.add_traces(_marked(link, places))
    figure.update_xaxes(visible=False, constrain="domain")
    scale = 1 / aspect if on_frames else 1
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", scaleratio=scale)
    if on_frames:
        figure.update_layout(plot_bgcolor=PLATE)
        _frames_behind(figure, shown, pictures, grid)
    return figure


def _lines(
    shown: SimilarityGraph, view: View, places: Places, only: int | None, crowded: bool
) -> list[go.Scattergl]:
    """One trace a colour: an edge has the colour of the group it lies in, grey between groups.

    crowded: edges run across frames; those outside the twelve coloured groups are thin and faint.
    """
    ids, colour = view.ids.flatten().tolist(), view.colour.tolist()
    paths: dict[tuple[str, bool], list] = {}
    for i, j in shown.graph.edges:
        index = colour[ids[i]] if ids[i] == ids[j] else SINGLE
        faint = index >= len(PALETTE) or (only is not None and ids[i] != only)
        path = paths.setdefault((colour_of(index) or GREY, faint), [])
        path.extend([places[i], places[j], (None, None)])
    faded = 0.12 if only is not None else 0.35 if crowded else 1.0
    return [
        go.Scattergl(
            x=[x for x, _ in path],
            y=[y for _, y in path],
            mode="lines",
            line={"color": name, "width": (0.8 if faint else 1.4) if crowded else 2},
            opacity=faded if faint else 1.0,
            hoverinfo="skip",
        )
        for (name, faint), path in sorted(paths.items(), key=lambda item: not item[0][1])
    ]


def _marked(link: WeakLink, places: Places) -> list[go.Scattergl]:
    """The weakest link: a thick line with rings at its ends, and its cosine on hover."""
    x, y = zip(places[link.a], places[link.b], strict=True)
    text = f"the weakest link: cosine {link.weight:.3f}"
    return [
        go.Scattergl(
            x=x,
            y=y,
            mode="lines+markers",
            line={"color": MARK, "width": 5},
            marker={
                "symbol": "circle-open",
                "size": 14,
                "color": MARK,
                "line": {"width": 3, "color": MARK},
            },
            text=[text, text],
            hovertemplate="%{text}<extra></extra>",
        )
    ]


def _dots(
    shown: SimilarityGraph, view: View, places: Places, grid: tuple[int, int], only: int | None
) -> go.Scattergl:
    nodes = np.array(list(shown.graph), np.int64)
    group = view.ids.flatten().numpy()[nodes]
    colour = view.colour.numpy()[group]
    width = grid[0] * grid[1]
    data = np.stack(
        [
            nodes // width + 1,
            nodes % width // grid[1] + 1,
            nodes % width % grid[1] + 1,
            view.size.numpy()[group],
            view.likeness.flatten().numpy()[nodes],
        ],
        axis=1,
    )
    return go.Scattergl(
        x=[places[node][0] for node in nodes.tolist()],
        y=[places[node][1] for node in nodes.tolist()],
        mode="markers",
        customdata=data,
        hovertemplate="frame %{customdata[0]}, row %{customdata[1]}, column %{customdata[2]}<br>"
        "%{customdata[3]} in its group<br>cosine to its hub %{customdata[4]:.3f}<extra></extra>",
        marker={
            "color": [colour_of(int(c)) or "rgba(0,0,0,0)" for c in colour],
            "size": np.where(colour == SINGLE, 5, 8 if shown.frame is not None else 5),
            "opacity": 1.0 if only is None else np.where(group == only, 1.0, 0.15),
            "line": {"width": np.where(colour == SINGLE, 1, 0.5), "color": GREY},
        },
    )


def _frames_behind(
    figure: go.Figure, shown: SimilarityGraph, pictures: Sequence[str], grid: tuple[int, int]
) -> None:
    rows, cols = grid
    frames = range(len(pictures)) if shown.frame is None else [shown.frame]
    across = 1 if shown.frame is not None else int(np.ceil(np.sqrt(max(1, len(pictures)))))
    for tile, frame in enumerate(frames[: len(pictures)]):
        figure.add_layout_image(
            source=pictures[frame],
            xref="x",
            yref="y",
            x=tile % across * (cols + 1),
            y=tile // across * (rows + 1),
            sizex=cols,
            sizey=rows,
            sizing="stretch",
            opacity=0.5,
            layer="below",
        )
