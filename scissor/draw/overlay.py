"""What an overlay shows: three ways to see the input tokens of a compression as groups.

Knows which group a token shows in each view, its hub, size, colour and how like the token is to
that hub. Leaves painting to the page's canvas and the method to scc.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from scissor.draw.palette import colour_indices
from scissor.graph import degrees, hub_order
from scissor.scc import Prepared
from scissor.types import Compression

VIEWS = ("components", "groups", "shares")


@dataclass(frozen=True, eq=False)
class View:
    """The tokens of a clip as G groups.

    ids: [T, N] int64, each token's group, -1 for a dropped token. hub: [G, 2] int64, frame and
    token. size: [G] int64. colour: [G] uint8, see palette. likeness: [T, N] float32, the cosine
    of a token to its group's hub, 0 for a dropped one.
    """

    name: str
    ids: Tensor
    hub: Tensor
    size: Tensor
    colour: Tensor
    likeness: Tensor


def view(prepared: Prepared, compression: Compression, name: str) -> View:
    """One of VIEWS: components inside each frame, groups across frames, shares after the merge."""
    if name == "components":
        ids = compression.spatial
        hub = component_hubs(prepared, compression)
    elif name in VIEWS:
        ids = compression.group if name == "groups" else compression.share
        hub = compression.hub
    else:
        raise ValueError(f"no view named {name!r}; there are {', '.join(VIEWS)}")
    size = group_sizes(ids, len(hub))
    colour = _frame_colours if name == "components" else colour_indices
    return View(
        name, ids, hub, size, colour(hub, size, compression.grid), _likeness(prepared, ids, hub)
    )


def group_sizes(ids: Tensor, groups: int) -> Tensor:
    """[G] int64: how many tokens each group holds; dropped tokens (-1) count nowhere."""
    return torch.bincount(ids[ids >= 0], minlength=groups)


def component_hubs(prepared: Prepared, compression: Compression) -> Tensor:
    """[M, 2] int64, frame and token: the hub of every step-1 component, as in scc.py."""
    frames, width = compression.spatial.shape
    tau = 1.0 if compression.tau_spatial is None else compression.tau_spatial
    alive = (compression.spatial >= 0).flatten().nonzero().flatten()
    ids = compression.spatial.flatten()[alive]
    _, hub = hub_order(ids, degrees(prepared.similar, tau).flatten()[alive])
    by_id = torch.empty(len(hub), dtype=torch.int64)
    by_id[ids[hub]] = alive[hub]
    return torch.stack([by_id // width, by_id % width], dim=1)


def _frame_colours(hub: Tensor, size: Tensor, grid: tuple[int, int]) -> Tensor:
    """[M] uint8: as colour_indices, the twelve largest being those of each frame."""
    out = torch.empty(len(hub), dtype=torch.uint8)
    for frame in hub[:, 0].unique():
        here = hub[:, 0] == frame
        out[here] = colour_indices(hub[here], size[here], grid)
    return out


def _likeness(prepared: Prepared, ids: Tensor, hub: Tensor) -> Tensor:
    """[T, N] float32: cosine of every token to the hub of its group, 0 for a dropped token."""
    units = prepared.units
    of_hub = units[hub[:, 0], hub[:, 1]]
    like = (units * of_hub[ids.clamp(min=0)]).sum(-1).clamp(-1, 1)
    return torch.where(ids >= 0, like, torch.zeros_like(like))
