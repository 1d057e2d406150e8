"""Qwen3-VL (Qwen/Qwen3-VL-2B-Instruct and up).

Knows the family's chat, in which every pair of frames follows its time, and its deepstack rows: the
tower's earlier features, which the decoder adds to its first layers at the visual tokens' places.
Leaves pixels and positions to qwen_vision.py, the rest to adapter.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from scissor.models.adapter import Adapter, Family, Seen, load_adapter, on_cpu
from scissor.models.decoding import Prompt
from scissor.models.layout import Layout
from scissor.models.loading import Checkpoint, load_tokenizer, load_weights
from scissor.models.pixels import HALF, Statistics
from scissor.models.qwen_vision import look, merged, native, pace, position_ids
from scissor.types import Encoded


def load(checkpoint: Checkpoint) -> Adapter:
    """The checkpoint's adapter. Raises ModelError (see loading.load_weights)."""
    from transformers import Qwen3VLForConditionalGeneration

    tokenizer = load_tokenizer(checkpoint.folder)
    lm = load_weights(Qwen3VLForConditionalGeneration, checkpoint)
    family = replace(FAMILY, prune_from=deep_layers(lm))
    return load_adapter(family, lm, checkpoint, tokenizer)


def deep_layers(lm: nn.Module) -> int:
    """The decoder's layers that deepstack rows enter, from the first on."""
    return len(lm.config.vision_config.deepstack_visual_indexes)


def see(lm: nn.Module, frames: np.ndarray, statistics: Statistics, attention: bool) -> Seen:
    """[t, N, D] tokens of frames taken in pairs, and deepstack rows [t, N, layers, D]."""
    out, grid, seen = look(lm, frames, statistics, attention)
    vision = lm.config.vision_config
    steps = len(frames) // vision.temporal_patch_size
    deep = [on_cpu(feature[0], steps) for feature in out.deepstack_features]
    if seen is not None:
        seen = merged(seen, steps, vision.spatial_merge_size)
    rows = {"deepstack": torch.stack(deep, dim=2)} if deep else {}
    return Seen(on_cpu(out.pooler_output[0], steps), grid, seen, rows)


def words(encoded: Encoded) -> str:
    """Every temporal step after its time."""
    return "".join(
        f"<{time:.1f} seconds><|vision_start|><|video_pad|><|vision_end|>" for time in encoded.times
    )


@torch.inference_mode()
def finish(lm: nn.Module, prompt: Prompt, layout: Layout, encoded: Encoded) -> Prompt:
    """The prompt with its positions, and its visual rows where transformers adds deepstack's.

    The model puts both into the placeholders' places itself, so the embeddings hold placeholders.
    A kept token takes its hub's deepstack rows.
    """
    from transformers.models.qwen3_vl.modeling_qwen3_vl import BaseModelOutputWithDeepstackFeatures

    positions, start = position_ids(lm, layout, encoded)
    where = prompt.embeds.device
    rows = prompt.embeds[0, prompt.visual.to(where)]
    embeds = prompt.embeds.clone()
    slot = layout.ids[layout.slots[:1]].to(where)
    embeds[0, prompt.visual.to(where)] = lm.get_input_embeddings()(slot)
    deep = encoded.extras["deepstack"].flatten(0, 1)[layout.hubs].to(where, embeds.dtype)
    video = BaseModelOutputWithDeepstackFeatures(
        pooler_output=[rows], deepstack_features=[[x] for x in deep.unbind(1)]
    )
    more = {"mm_encoder_outputs": {"video": video}}
    return replace(prompt, embeds=embeds, positions=positions, start=start, extra=more)


FAMILY = Family(
    see=see,
    native=native,
    chat=(
        "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>{question}<|im_end|>\n"
        "<|im_start|>assistant\n"
    ),
    video="<|vision_start|><|video_pad|><|vision_end|>",
    slot="<|video_pad|>",
    words=words,
    finish=finish,
    extras=pace,
    stride=2,
    prune_from=3,
    statistics=HALF,
)
