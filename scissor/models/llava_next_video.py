"""LLaVA-NeXT-Video (llava-hf/LLaVA-NeXT-Video-7B-hf): CLIP and Vicuna.

Knows the family's pixels (the central square of a frame), visual tokens and chat format. Leaves the
rest to adapter.py.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
from torch import nn

from scissor.models.adapter import Adapter, Family, Seen, load_adapter, on_cpu
from scissor.models.attention import cell_means, paid_by_class, watched
from scissor.models.loading import Checkpoint, load_tokenizer, load_weights
from scissor.models.onevision import read_layer
from scissor.models.pixels import CLIP, Statistics, central_square, normalised
from scissor.types import Video


def load(checkpoint: Checkpoint) -> Adapter:
    """The checkpoint's adapter. Raises ModelError (see loading.load_weights)."""
    from transformers import LlavaNextVideoForConditionalGeneration

    tokenizer = load_tokenizer(checkpoint.folder)
    lm = load_weights(LlavaNextVideoForConditionalGeneration, checkpoint)
    return load_adapter(FAMILY, lm, checkpoint, tokenizer)


def see(lm: nn.Module, frames: np.ndarray, statistics: Statistics, attention: bool) -> Seen:
    """[t, 144, D] tokens; the class token's attention in the layer that the projector reads."""
    vision, stride = lm.config.vision_config, lm.config.spatial_pool_stride
    pixels = native(lm, frames, statistics)["pixel_values_videos"].to(lm.device, lm.dtype)
    layer = read_layer(lm.model.vision_tower, lm.config.vision_feature_layer)
    with watched(layer.self_attn, paid_by_class) if attention else nullcontext([]) as seen:
        rows = lm.model.get_video_features(pixels).pooler_output[0]
    side = vision.image_size // vision.patch_size // stride
    pooled = cell_means(seen[0], (side, side), stride).cpu() if attention else None
    return Seen(on_cpu(rows, len(frames)), (side, side), pooled)


def native(lm: nn.Module, frames: np.ndarray, statistics: Statistics, *_: Any) -> dict[str, Any]:
    """The frames as the model's own arguments."""
    square = central_square(frames, lm.config.vision_config.image_size)
    return {"pixel_values_videos": normalised(square, statistics)[None]}


def window(lm: nn.Module, video: Video) -> dict[str, Any]:
    """extras["window"]: (top, left, bottom, right), the part of a frame seen, in [0, 1]."""
    height, width = video.frames.shape[1:3]
    short = min(height, width)
    top, left = (1 - short / height) / 2, (1 - short / width) / 2
    return {"window": (top, left, 1 - top, 1 - left)}


FAMILY = Family(
    see=see,
    native=native,
    chat="USER: <video>\n{question} ASSISTANT:",
    video="<video>",
    slot="<video>",
    words=lambda encoded: "<video>" * len(encoded.tokens),
    extras=window,
    max_frames=24,  # 3,456 tokens: its decoder knows 4,096 positions
    statistics=CLIP,
)
