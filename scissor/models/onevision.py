"""LLaVA-OneVision (arXiv 2408.03326), through transformers' own class, without torchvision.

Knows the family's pixels, visual tokens, newline row and chat. Leaves the rest to adapter.py.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np
from torch import nn

from scissor.models.adapter import Adapter, Family, Seen, load_adapter, on_cpu
from scissor.models.attention import received, watched
from scissor.models.loading import Checkpoint, load_tokenizer, load_weights
from scissor.models.pixels import Statistics, frames_to_pixels
from scissor.types import Encoded, Video


def load(checkpoint: Checkpoint) -> Adapter:
    """The checkpoint's adapter. Raises ModelError (see loading.load_weights)."""
    from transformers import LlavaOnevisionForConditionalGeneration

    tokenizer = load_tokenizer(checkpoint.folder)
    lm = load_weights(LlavaOnevisionForConditionalGeneration, checkpoint)
    return load_adapter(FAMILY, lm, checkpoint, tokenizer)


def see(lm: nn.Module, frames: np.ndarray, statistics: Statistics, attention: bool) -> Seen:
    """[t, 196, D] tokens; attention of the layer that the projector reads, pooled like them."""
    model, size = lm.model, lm.config.vision_config.image_size
    pixels = native(lm, frames, statistics)["pixel_values_videos"].to(lm.device, lm.dtype)
    layer = read_layer(model.vision_tower, lm.config.vision_feature_layer)
    with watched(layer.self_attn, received) if attention else nullcontext([]) as seen:
        rows = model.get_video_features(pixels).pooler_output[0]
    side = math.ceil(size // lm.config.vision_config.patch_size / 2)
    pooled = model.apply_pooling(seen[0][..., None])[..., 0].cpu() if attention else None
    return Seen(on_cpu(rows[:-1], len(frames)), (side, side), pooled)


def native(lm: nn.Module, frames: np.ndarray, statistics: Statistics, *_: Any) -> dict[str, Any]:
    """The frames as the model's own arguments."""
    size = lm.config.vision_config.image_size
    return {"pixel_values_videos": frames_to_pixels(frames, (size, size), statistics)[None]}


def read_layer(tower: nn.Module, chosen: int | list[int]) -> nn.Module:
    """The layer of a SigLIP or CLIP tower whose output the projector reads, the last of several."""
    layers = getattr(tower, "vision_model", tower).encoder.layers
    chosen = chosen if isinstance(chosen, int) else chosen[-1]
    # feature 0 is the embedding, feature i the output of layer i - 1
    return layers[(chosen if chosen >= 0 else chosen + len(layers) + 1) - 1]


def newline(lm: nn.Module, video: Video) -> dict[str, Any]:
    """extras["newline"]: [D], the row that ends every video."""
    return {"newline": lm.model.image_newline.detach().float().cpu().clone()}


def words(encoded: Encoded) -> str:
    """A slot a frame, and one for the newline."""
    return "<video>" * (len(encoded.tokens) + 1)


FAMILY = Family(
    see=see,
    native=native,
    chat="<|im_start|>user <video>\n{question}<|im_end|><|im_start|>assistant\n",
    video="<video>",
    slot="<video>",
    words=words,
    extras=newline,
)
