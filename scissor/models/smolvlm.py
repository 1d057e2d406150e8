"""SmolVLM2 (HuggingFaceTB/SmolVLM2-256M/500M/2.2B-Instruct): SigLIP and SmolLM2.

Knows the family's pixels, visual tokens and the text that it puts before the clip and before every
frame. Leaves the rest to adapter.py.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import numpy as np
from torch import nn

from scissor.models.adapter import Adapter, Family, Seen, load_adapter, on_cpu
from scissor.models.attention import cell_means, received, watched
from scissor.models.loading import Checkpoint, load_tokenizer, load_weights
from scissor.models.pixels import LANCZOS, Statistics, long_edge, normalised, resized
from scissor.types import Encoded, Video

SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def load(checkpoint: Checkpoint) -> Adapter:
    """The checkpoint's adapter. Raises ModelError (see loading.load_weights)."""
    from transformers import SmolVLMForConditionalGeneration

    tokenizer = load_tokenizer(checkpoint.folder)
    lm = load_weights(SmolVLMForConditionalGeneration, checkpoint)
    return load_adapter(FAMILY, lm, checkpoint, tokenizer)


def see(lm: nn.Module, frames: np.ndarray, statistics: Statistics, attention: bool) -> Seen:
    """[t, 64 or 81, D] tokens; the mean attention received in the tower's last layer."""
    vision, cell = lm.config.vision_config, lm.config.scale_factor
    pixels = native(lm, frames, statistics)["pixel_values"].to(lm.device, lm.dtype)
    layer = lm.model.vision_model.encoder.layers[-1] if attention else None
    with watched(layer.self_attn, received) if attention else nullcontext([]) as seen:
        rows = lm.model.get_image_features(pixels).pooler_output[0]
    side = vision.image_size // vision.patch_size // cell
    pooled = cell_means(seen[0], (side, side), cell).cpu() if attention else None
    return Seen(on_cpu(rows, len(frames)), (side, side), pooled)


def native(lm: nn.Module, frames: np.ndarray, statistics: Statistics, *_: Any) -> dict[str, Any]:
    """The frames as the model's own arguments."""
    side = lm.config.vision_config.image_size
    return {"pixel_values": smol_pixels(frames, side, statistics)[None]}


def smol_pixels(frames: np.ndarray, side: int, statistics: Statistics) -> Any:
    """[T, 3, side, side]: first the longer edge becomes `side`, then the frame is squeezed."""
    frames = resized(frames, long_edge(*frames.shape[1:3], side), LANCZOS)
    return normalised(resized(frames, (side, side), LANCZOS), statistics)


def words(encoded: Encoded) -> str:
    """What the family writes for a clip, a slot for every frame's tokens."""
    length = timedelta(seconds=int(encoded.extras["duration"]))
    frames = "".join(
        f"\nFrame from {int(time // 60):02d}:{int(time % 60):02d}:"
        "<fake_token_around_image><global-img><image><fake_token_around_image>"
        for time in encoded.times
    )
    return (
        f"You are provided the following series of {in_words(len(encoded.times))} frames from a "
        f"{length} [H:MM:SS] video.\n{frames}\n\n"
    )


def in_words(number: int) -> str:
    """An English number word, for 0 to 99."""
    if number < len(SMALL):
        return SMALL[number]
    tens, ones = divmod(number, 10)
    return TENS[tens - 2] + (f"-{SMALL[ones]}" if ones else "")


def duration(lm: nn.Module, video: Video) -> dict[str, Any]:
    """extras["duration"]: of the clip, in seconds."""
    return {"duration": float(video.duration)}


FAMILY = Family(
    see=see,
    native=native,
    chat="<|im_start|>User: <video>{question}<end_of_utterance>\nAssistant:",
    video="<video>",
    slot="<image>",
    words=words,
    extras=duration,
    always=True,  # as transformers' processor does: the checkpoints' template shows no videos
)
