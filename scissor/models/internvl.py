"""InternVL 3 in transformers' format (OpenGVLab/InternVL3-1B-hf and up): InternViT and Qwen2.5.

Knows the family's pixels, visual tokens and the text that it puts before every frame. Leaves the
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
from scissor.models.pixels import IMAGENET, Statistics, frames_to_pixels
from scissor.types import Encoded


def load(checkpoint: Checkpoint) -> Adapter:
    """The checkpoint's adapter. Raises ModelError (see loading.load_weights)."""
    from transformers import InternVLForConditionalGeneration

    tokenizer = load_tokenizer(checkpoint.folder)
    lm = load_weights(InternVLForConditionalGeneration, checkpoint)
    return load_adapter(FAMILY, lm, checkpoint, tokenizer)


def see(lm: nn.Module, frames: np.ndarray, statistics: Statistics, attention: bool) -> Seen:
    """[t, 256, D] tokens; the class token's attention in the tower's last layer."""
    vision, cell = lm.config.vision_config, round(1 / lm.config.downsample_ratio)
    pixels = native(lm, frames, statistics)["pixel_values"].to(lm.device, lm.dtype)
    layer = lm.model.vision_tower.encoder.layer[-1] if attention else None
    with watched(layer.attention, paid_by_class) if attention else nullcontext([]) as seen:
        rows = lm.model.get_image_features(pixels).pooler_output
    grid = tuple(
        edge // patch // cell
        for edge, patch in zip(vision.image_size, vision.patch_size, strict=True)
    )
    pooled = cell_means(seen[0], grid, cell).cpu() if attention else None
    return Seen(on_cpu(rows, len(frames)), grid, pooled)


def native(lm: nn.Module, frames: np.ndarray, statistics: Statistics, *_: Any) -> dict[str, Any]:
    """The frames as the model's own arguments."""
    size = tuple(lm.config.vision_config.image_size)
    return {"pixel_values": frames_to_pixels(frames, size, statistics)}


def words(encoded: Encoded) -> str:
    """A numbered line a frame."""
    return "\n".join(
        f"Frame{number}: <img><IMG_CONTEXT></img>" for number in range(1, len(encoded.tokens) + 1)
    )


FAMILY = Family(
    see=see,
    native=native,
    chat="<|im_start|>user\n<video>\n{question}<|im_end|>\n<|im_start|>assistant\n",
    video="<video>",
    slot="<IMG_CONTEXT>",
    words=words,
    statistics=IMAGENET,
)
