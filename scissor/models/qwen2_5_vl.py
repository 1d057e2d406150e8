"""Qwen2.5-VL (Qwen/Qwen2.5-VL-3B-Instruct and up).

Knows the family's chat and its window attention's order of patches. Leaves pixels and positions to
qwen_vision.py, the rest to adapter.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scissor.models.adapter import Adapter, Family, Seen, load_adapter, on_cpu
from scissor.models.decoding import Prompt
from scissor.models.layout import Layout
from scissor.models.loading import Checkpoint, load_tokenizer, load_weights
from scissor.models.pixels import CLIP, Statistics
from scissor.models.qwen_vision import look, merged, native, pace, position_ids
from scissor.types import Encoded


def load(checkpoint: Checkpoint) -> Adapter:
    """The checkpoint's adapter. Raises ModelError (see loading.load_weights)."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    tokenizer = load_tokenizer(checkpoint.folder)
    lm = load_weights(Qwen2_5_VLForConditionalGeneration, checkpoint)
    return load_adapter(FAMILY, lm, checkpoint, tokenizer)


def see(lm: nn.Module, frames: np.ndarray, statistics: Statistics, attention: bool) -> Seen:
    """[t, N, D] tokens of frames taken in pairs; N follows the clip's shape."""
    out, grid, seen = look(lm, frames, statistics, attention)
    steps = len(frames) // lm.config.vision_config.temporal_patch_size
    if seen is not None:
        seen = in_reading_order(lm, seen, (steps, *grid))
    return Seen(on_cpu(out.pooler_output[0], steps), grid, seen)


def in_reading_order(lm: nn.Module, seen: Tensor, cells: tuple[int, int, int]) -> Tensor:
    """[t, N] from the attention [t * N * merge^2] of patches that stand window by window."""
    from transformers.vision_utils import get_vision_window_index

    vision = lm.config.vision_config
    merge = vision.spatial_merge_size
    order, _ = get_vision_window_index(
        torch.tensor([[cells[0], cells[1] * merge, cells[2] * merge]]),
        spatial_merge_size=merge,
        window_size=vision.window_size,
        patch_size=vision.patch_size,
    )
    flat = merged(seen, 1, merge)[0]
    return flat[order.argsort()].unflatten(0, (cells[0], -1))


def paced(
    lm: nn.Module, frames: np.ndarray, statistics: Statistics, encoded: Encoded
) -> dict[str, Any]:
    """The frames as the model's own arguments, and their pace."""
    seconds = torch.tensor([encoded.extras["seconds_per_step"]])
    return native(lm, frames, statistics) | {"second_per_grid_ts": seconds}


def finish(lm: nn.Module, prompt: Prompt, layout: Layout, encoded: Encoded) -> Prompt:
    """The prompt with its three-dimensional positions."""
    positions, start = position_ids(lm, layout, encoded)
    return replace(prompt, positions=positions, start=start)


FAMILY = Family(
    see=see,
    native=paced,
    chat=(
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        "<|vision_start|><|video_pad|><|vision_end|>{question}<|im_end|>\n<|im_start|>assistant\n"
    ),
    video="<|video_pad|>",
    slot="<|video_pad|>",
    words=lambda encoded: "<|video_pad|>" * len(encoded.tokens),
    finish=finish,
    extras=pace,
    stride=2,
    statistics=CLIP,
)
