"""The published configurations of the catalog's checkpoints: their sizes alone."""

from typing import Any

import torch

QWEN2_5 = {
    "qwen2.5-vl-3b": (2048, 11008, 36, 16, 2, 151_936, True),
    "qwen2.5-vl-7b": (3584, 18944, 28, 28, 4, 152_064, False),
}
QWEN3 = {
    "qwen3-vl-2b": (2048, 6144, 28, 16, 8, True, (24, 1024, 4096), [5, 11, 17]),
    "qwen3-vl-4b": (2560, 9728, 36, 32, 8, True, (24, 1024, 4096), [5, 11, 17]),
    "qwen3-vl-8b": (4096, 12288, 36, 32, 8, False, (27, 1152, 4304), [8, 16, 24]),
}
SMOL = {
    "smolvlm2-256m": (576, 1536, 30, 9, 3, (768, 3072, 12, 12, 512, 16), 4),
    "smolvlm2-500m": (960, 2560, 32, 15, 5, (768, 3072, 12, 12, 512, 16), 4),
    "smolvlm2-2.2b": (2048, 8192, 24, 32, 32, (1152, 4304, 27, 16, 384, 14), 3),
}
INTERN = {
    "internvl3-1b": (896, 4864, 24, 14, 2),
    "internvl3-2b": (1536, 8960, 28, 12, 2),
    "internvl3-8b": (3584, 18944, 28, 28, 4),
}
SIZES = ("hidden_size", "intermediate_size", "num_hidden_layers")
HEADS = ("num_attention_heads", "num_key_value_heads")


def blank(name: str) -> Any:
    """The model of the catalog's `name` on the meta device: shapes without numbers."""
    for known, make in ((QWEN2_5, qwen2_5), (QWEN3, qwen3), (SMOL, smol), (INTERN, intern)):
        if name in known:
            with torch.device("meta"):
                return make(*known[name])
    with torch.device("meta"):
        return next_video() if name == "llava-next-video-7b" else onevision(name)


def onevision(name: str) -> Any:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        Qwen2Config,
    )

    from scissor.cost import SHAPES

    shape = SHAPES[name]
    text = Qwen2Config(
        vocab_size=shape.vocab,
        hidden_size=shape.width,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        tie_word_embeddings=name.endswith("0.5b"),
    )
    return LlavaOnevisionForConditionalGeneration(LlavaOnevisionConfig(text_config=text))


def next_video() -> Any:
    from transformers import LlavaNextVideoConfig, LlavaNextVideoForConditionalGeneration

    text = {"model_type": "llama", "vocab_size": 32_064}
    return LlavaNextVideoForConditionalGeneration(LlavaNextVideoConfig(text_config=text))


def qwen2_5(d: int, m: int, layers: int, heads: int, kv: int, vocab: int, tied: bool) -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text = dict(zip((*SIZES, *HEADS), (d, m, layers, heads, kv), strict=True))
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}
    config = Qwen2_5_VLConfig(
        text_config=text | {"vocab_size": vocab, "rope_parameters": rope},
        vision_config={"hidden_size": 1280, "out_hidden_size": d},
        tie_word_embeddings=tied,
    )
    return Qwen2_5_VLForConditionalGeneration(config)


def qwen3(
    d: int, m: int, layers: int, heads: int, kv: int, tied: bool, tower: tuple, deep: list
) -> Any:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    text = dict(zip((*SIZES, *HEADS), (d, m, layers, heads, kv), strict=True))
    rope = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [24, 20, 20]}
    sight = dict(zip(("depth", "hidden_size", "intermediate_size"), tower, strict=True))
    config = Qwen3VLConfig(
        text_config=text | {"head_dim": 128, "vocab_size": 151_936, "rope_parameters": rope},
        vision_config=sight | {"out_hidden_size": d, "deepstack_visual_indexes": deep},
        tie_word_embeddings=tied,
    )
    return Qwen3VLForConditionalGeneration(config)


def smol(d: int, m: int, layers: int, heads: int, kv: int, tower: tuple, scale: int) -> Any:
    from transformers import LlamaConfig, SmolVLMConfig, SmolVLMForConditionalGeneration

    text = dict(zip((*SIZES, *HEADS), (d, m, layers, heads, kv), strict=True))
    names = (*SIZES, "num_attention_heads", "image_size", "patch_size")
    config = SmolVLMConfig(
        text_config=LlamaConfig(**text, vocab_size=49_280),
        vision_config=dict(zip(names, tower, strict=True)),
        scale_factor=scale,
        tie_word_embeddings=False,
    )
    return SmolVLMForConditionalGeneration(config)


def intern(d: int, m: int, layers: int, heads: int, kv: int) -> Any:
    from transformers import InternVLConfig, InternVLForConditionalGeneration

    text = dict(zip((*SIZES, *HEADS), (d, m, layers, heads, kv), strict=True))
    config = InternVLConfig(
        text_config={"model_type": "qwen2", "vocab_size": 151_674, **text},
        tie_word_embeddings=False,
    )
    return InternVLForConditionalGeneration(config)
