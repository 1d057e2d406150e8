"""Qwen's classes in small with random weights, and their native inputs by hand."""

from typing import Any

import torch

from scissor.models import qwen2_5_vl, qwen3_vl, qwen_vision
from scissor.models.pixels import cut_patches, normalised, patch_size, resized

QUESTION = "What is in the video? 🌍"


def lively(lm: Any, *parts: Any) -> Any:
    """Wide random weights in what sees, so that random tokens differ clearly."""
    for part in parts:
        for parameter in part.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return lm.eval()


QWEN_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.2,
    "bos_token_id": None,
    "eos_token_id": None,
}
QWEN_VISION = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_heads": 2,
    "patch_size": 4,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
    "out_hidden_size": 32,
}


def qwen_ids(tokenizer: Any) -> dict[str, int]:
    names = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {name: tokenizer.convert_tokens_to_ids(token) for name, token in names.items()}


def build_qwen2_5(tokenizer: Any, layers: int = 2) -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(4)
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 1, 1]}
    more = {"depth": layers, "window_size": 24, "fullatt_block_indexes": [1]}
    config = Qwen2_5_VLConfig(
        text_config=QWEN_TEXT | {"vocab_size": len(tokenizer), "rope_parameters": rope},
        vision_config=QWEN_VISION | more | {"tokens_per_second": 2},
        **qwen_ids(tokenizer),
    )
    lm = Qwen2_5_VLForConditionalGeneration(config)
    return lively(lm, lm.model.visual)


def build_qwen3(tokenizer: Any, layers: int = 3) -> Any:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    torch.manual_seed(2)
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 1, 1]}
    text = QWEN_TEXT | {"vocab_size": len(tokenizer), "head_dim": 8}
    text = {name: value for name, value in text.items() if not name.startswith(("bos", "eos"))}
    more = {"depth": layers, "num_position_embeddings": 64}
    config = Qwen3VLConfig(
        text_config=text | {"rope_parameters": rope | {"mrope_interleaved": True}},
        vision_config=QWEN_VISION | more | {"deepstack_visual_indexes": list(range(layers))[:2]},
        **qwen_ids(tokenizer),
    )
    lm = Qwen3VLForConditionalGeneration(config)
    return lively(lm, lm.model.visual)


def qwen_patches(video: Any, statistics: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """(patches of the frames, the last one twice where they are odd; their grid)."""
    frames = video.frames[
        [*range(len(video.frames)), -1][: len(video.frames) + len(video.frames) % 2]
    ]
    size = patch_size(*frames.shape[1:3], 8, qwen_vision.TOKENS)
    pixels = cut_patches(normalised(resized(frames, size), statistics), 4, 2, 2)
    return pixels, torch.tensor([[len(frames) // 2, size[0] // 4, size[1] // 4]])


def qwen2_5(lm: Any, video: Any) -> tuple[str, dict]:
    pixels, grid = qwen_patches(video, qwen2_5_vl.FAMILY.statistics)
    slots = "<|video_pad|>" * int(grid.prod() // 4)
    text = (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        f"<|vision_start|>{slots}<|vision_end|>{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    )
    pace = torch.tensor([2 * float(video.times[1] - video.times[0])])
    return text, {
        "pixel_values_videos": pixels,
        "video_grid_thw": grid,
        "second_per_grid_ts": pace,
    }


def qwen3(lm: Any, video: Any) -> tuple[str, dict]:
    pixels, grid = qwen_patches(video, qwen3_vl.FAMILY.statistics)
    steps, rows, cols = (grid[0] // torch.tensor([1, 2, 2])).tolist()
    times = [*video.times, *video.times[-1:]]
    clip = "".join(
        f"<{(times[2 * i] + times[2 * i + 1]) / 2:.1f} seconds><|vision_start|>"
        f"{'<|video_pad|>' * (rows * cols)}<|vision_end|>"
        for i in range(steps)
    )
    text = f"<|im_start|>user\n{clip}{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    return text, {"pixel_values_videos": pixels, "video_grid_thw": grid}
