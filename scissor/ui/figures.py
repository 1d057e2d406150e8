"""The Plotly figures of the Graph and Tokens tabs for one position of the dials.

Knows which figure stands in which tab. Leaves drawing to draw/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from scissor.draw import charts
from scissor.draw.graph import similarity_graph
from scissor.draw.network import network_figure
from scissor.draw.overlay import VIEWS, View, view
from scissor.draw.weakest import WeakLink, weakest_in
from scissor.types import Compression
from scissor.ui.store import Clip

NARROW = 700  # a window of fewer pixels gets figures for a phone


@dataclass(frozen=True)
class Look:
    """What the overlay shows, which the graph follows: view, frame, hub of the isolated group.

    wide: of the visitor's window, in CSS pixels.
    """

    view: str = "groups"
    frame: int = 0
    hub: int | None = None
    wide: int = 1440

    @classmethod
    def read(cls, raw: Any, frames: int) -> Look:
        """A look from the page's JSON; whatever is not one becomes the default."""
        raw = raw if isinstance(raw, dict) else {}
        name, frame, hub, wide = (raw.get(key) for key in ("view", "frame", "hub", "wide"))
        return cls(
            name if name in VIEWS else "groups",
            min(max(frame, 0), frames - 1) if isinstance(frame, int) else 0,
            hub if isinstance(hub, int) else None,
            wide if isinstance(wide, int) and wide > 0 else 1440,
        )

    def only(self, shown: View) -> int | None:
        """The isolated group of that view, if its hub still has one."""
        width = shown.ids.shape[1]
        flat = (shown.hub[:, 0] * width + shown.hub[:, 1]).tolist()
        return flat.index(self.hub) if self.hub in flat else None


def graph_tab(
    clip: Clip, made: Compression, look: Look, layout: str, every: bool
) -> tuple[str, go.Figure]:
    """(the line above the graph, the graph)."""
    shown = view(clip.prepared, made, look.view)
    graph = similarity_graph(clip.prepared, made, shown, look.frame, every)
    forest = None if every else graph.graph
    link = weakest_in(clip.prepared, made, shown, look.frame, forest)
    rows, cols = clip.encoded.grid
    figure = network_figure(
        graph,
        shown,
        clip.encoded.grid,
        layout=layout,
        pictures=clip.thumbnails if graph.frame is None else clip.pictures,
        aspect=clip.aspect * rows / cols,
        only=look.only(shown),
        link=link,
        narrow=look.wide < NARROW,
    )
    return f"{_title(look)}: {graph.summary()}\n\n{_told(link, shown)}", figure


def weakest(clip: Clip, made: Compression, look: Look) -> dict[str, Any]:
    """The weakest link as JSON: its ends, its cosine, the sentence; empty where there is none."""
    shown = view(clip.prepared, made, look.view)
    link = weakest_in(clip.prepared, made, shown, look.frame)
    if link is None:
        return {}
    return {"a": link.a, "b": link.b, "weight": link.weight, "sentence": _told(link, shown)}


def _told(link: WeakLink | None, shown: View) -> str:
    return link.sentence(shown.ids.shape[1]) if link else ""


def _title(look: Look) -> str:
    return {
        "components": f"Components in frame {look.frame + 1}",
        "groups": "Step 1's components, linked across frames",
        "shares": "Every patch at the kept token it was merged into",
    }[look.view]


def tokens_tab(clip: Clip, made: Compression) -> tuple[go.Figure, ...]:
    """(funnel, tokens a frame, largest groups, retention curve)."""
    return (
        charts.funnel(made),
        charts.tokens_per_frame(made),
        charts.largest_groups(view(clip.prepared, made, "groups")),
        charts.retention_curve(clip.curve, made),
    )
