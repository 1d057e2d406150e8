"""What Qwen2.5-VL and Qwen3-VL share: frames of any shape in pairs, positions in three dimensions.

Knows how frames become patches and how the kept tokens keep their own positions. Leaves each
family's chat and further rows to qwen2_5_vl.py and qwen3_vl.py.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scissor.models.adapter import on_cpu
from scissor.models.attention import received_in_segments, watched
from scissor.models.layout import Layout
from scissor.models.pixels import Statistics, cut_patches, normalised, patch_size, resized
from scissor.types import Encoded, Video

TOKENS = (128, 256)
"""Fewest and most tokens a temporal step. The families allow 768; 16 steps of 256 are 4,096."""


def look(
    lm: nn.Module, frames: np.ndarray, statistics: Statistics, attention: bool
) -> tuple[Any, tuple[int, int], Tensor | None]:
    """(the tower's output, the grid of a step's tokens, attention [t * N * merge^2] as is)."""
    merge = lm.config.vision_config.spatial_merge_size
    inputs = native(lm, frames, statistics)
    pixels, thw = (value.to(lm.device) for value in inputs.values())
    layer = lm.model.visual.blocks[-1].attn if attention else None
    with watched(layer, received_in_segments) if attention else nullcontext([]) as seen:
        out = lm.model.get_video_features(pixels.to(lm.dtype), thw)
    grid = tuple((thw[0, 1:] // merge).tolist())
    return out, grid, seen[0] if attention else None


def native(lm: nn.Module, frames: np.ndarray, statistics: Statistics, *_: Any) -> dict[str, Any]:
    """The frames as the model's own arguments."""
    vision = lm.config.vision_config
    patch, merge, depth = vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size
    size = patch_size(*frames.shape[1:3], patch * merge, TOKENS)
    pixels = cut_patches(normalised(resized(frames, size), statistics), patch, merge, depth)
    thw = torch.tensor([[len(frames) // depth, size[0] // patch, size[1] // patch]])
    return {"pixel_values_videos": pixels, "video_grid_thw": thw}


def merged(received: Tensor, frames: int, merge: int) -> Tensor:
    """[frames, N] on the CPU: the mean over the patches of each token, which stand together."""
    return on_cpu(received.unflatten(0, (-1, merge * merge)).mean(1)[:, None], frames)[..., 0]


def position_ids(lm: nn.Module, layout: Layout, encoded: Encoded) -> tuple[Tensor, int]:
    """([3, 1, P'] int64, the kept columns' positions among all; the answer's first position).

    Computed on the whole clip, so that no token's place depends on which others are kept.
    """
    kinds = torch.zeros_like(layout.ids)
    kinds[layout.slots] = 2  # video
    merge = lm.config.vision_config.spatial_merge_size
    rows, cols = encoded.grid
    thw = torch.tensor([[len(encoded.tokens), rows * merge, cols * merge]])
    positions, _ = lm.model.get_rope_index(
        layout.ids[None],
        mm_token_type_ids=kinds[None].int(),
        video_grid_thw=thw,
        second_per_grid_ts=torch.tensor([encoded.extras["seconds_per_step"]]),
    )
    return positions[..., layout.columns], int(positions.max()) + 1


def pace(lm: nn.Module, video: Video) -> dict[str, Any]:
    """extras["seconds_per_step"]: from one temporal step to the next, 1 for a picture."""
    depth, times = lm.config.vision_config.temporal_patch_size, video.times
    apart = float(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
    return {"seconds_per_step": depth * apart or 1.0}
