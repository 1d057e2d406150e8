"""LLaVA-Scissor's own checkpoints (BBBBCHAN/LLaVA-Scissor-baseline-0.5B, -7B), LLaVA-NeXT format.

Knows how that format's configuration and names of weights become those of transformers' OneVision
class, which computes the same: SigLIP without its last layer, projector, bilinear pooling. These
checkpoints end a video with no newline row. Leaves the rest to onevision.py and adapter.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scissor.models import onevision
from scissor.models.adapter import Adapter, load_adapter
from scissor.models.contract import ModelError
from scissor.models.loading import Checkpoint, load_tokenizer, load_weights

TOWERS: dict[str, dict[str, Any]] = {
    "siglip-so400m-patch14-384": {
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 26,  # of 27: the format drops the last
        "num_attention_heads": 16,
        "image_size": 384,
        "patch_size": 14,
    }
}
"""The vision towers by the last part of mm_vision_tower: the checkpoint gives no sizes of them."""

KEYS = {
    r"^model\.vision_tower\.vision_tower\.(vision_model\.)?": "model.vision_tower.",
    r"^model\.mm_projector\.0\.": "model.multi_modal_projector.linear_1.",
    r"^model\.mm_projector\.2\.": "model.multi_modal_projector.linear_2.",
    r"^model\.(embed_tokens|layers|norm)\.": r"model.language_model.\1.",
}
"""Names of weights in the checkpoint -> in transformers' class."""

NOT_TEXT = ("model_type", "architectures", "transformers_version", "torch_dtype", "dtype")
"""What the configuration says of the whole; all else goes to the language model's, its sizes and
rotary base among them.
"""

UNUSED = ("model.image_newline",)
"""The one weight that may be absent: no answer depends on it."""

SLOT = "<|endoftext|>"
"""A token that a turn never holds: this format's <image> is none of the tokenizer's."""

FAMILY = replace(
    onevision.FAMILY,
    chat=(
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\n<image>\n{question}<|im_end|>\n<|im_start|>assistant\n"
    ),
    video="<image>",
    slot=SLOT,
    words=lambda encoded: SLOT * len(encoded.tokens),
    extras=lambda lm, video: {},
    always=True,
)


def load(checkpoint: Checkpoint) -> Adapter:
    """The checkpoint's adapter. Raises ModelError if any weight is missing or has no use."""
    from transformers import LlavaOnevisionForConditionalGeneration

    tokenizer = load_tokenizer(checkpoint.folder)
    lm = load_weights(
        LlavaOnevisionForConditionalGeneration,
        checkpoint,
        config=translated(checkpoint.config),
        key_mapping=KEYS,
        strict=True,
        unused=UNUSED,
    )
    return load_adapter(FAMILY, lm, checkpoint, tokenizer)


def translated(config: dict[str, Any]) -> Any:
    """transformers' configuration from the checkpoint's own.

    Raises ModelError for a tower, projector or pooling that this adapter does not compute.
    """
    from transformers import LlavaOnevisionConfig, Qwen2Config, SiglipVisionConfig

    tower = str(config.get("mm_vision_tower", "")).rstrip("/").rsplit("/", 1)[-1]
    wanted = {
        "mm_projector_type": "mlp2x_gelu",
        "mm_spatial_pool_mode": "bilinear",
        "mm_spatial_pool_stride": 2,
    }
    other = [name for name, value in wanted.items() if config.get(name, value) != value]
    if tower not in TOWERS or other:
        what = f"{other[0]} {config[other[0]]!r}" if other else f"the vision tower {tower!r}"
        raise ModelError(f"This LLaVA-NeXT checkpoint has {what}, which is not offered here.")
    own = {name: value for name, value in config.items() if name not in NOT_TEXT}
    text = Qwen2Config(**{name: own[name] for name in own if not name.startswith("mm_")})
    return LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(**TOWERS[tower], vision_use_head=False),
        text_config=text,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=bool(config.get("tie_word_embeddings", False)),
    )
