"""What a prompt costs a decoder: floating-point operations of its prefill, bytes of its KV cache.

Knows the arithmetic of a Llama-like decoder (grouped-query attention, gated MLP) and the shapes of
the models in the catalog. Leaves time to measuring, and what a prompt holds to models/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scissor.types import Compression, InDecoder, target_count


@dataclass(frozen=True)
class Shape:
    """A decoder's sizes: layers, width d, MLP width m, query heads, key-value heads, vocabulary.

    head: the width of one head, 0 where it is d / heads.
    """

    layers: int
    width: int
    mlp: int
    heads: int
    kv_heads: int
    vocab: int
    head: int = 0

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.head or self.width // self.heads


SHAPES = {
    "mini": Shape(12, 576, 1536, 9, 3, 12_032),
    "llava-onevision-0.5b": Shape(24, 896, 4864, 14, 2, 152_000),
    "llava-onevision-7b": Shape(28, 3584, 18944, 28, 4, 152_128),
    "llava-scissor-0.5b": Shape(24, 896, 4864, 14, 2, 152_000),
    "llava-scissor-7b": Shape(28, 3584, 18944, 28, 4, 152_128),
    "llava-next-video-7b": Shape(32, 4096, 11008, 32, 32, 32_064),
    "qwen2.5-vl-3b": Shape(36, 2048, 11008, 16, 2, 151_936),
    "qwen2.5-vl-7b": Shape(28, 3584, 18944, 28, 4, 152_064),
    "qwen3-vl-2b": Shape(28, 2048, 6144, 16, 8, 151_936),
    "qwen3-vl-4b": Shape(36, 2560, 9728, 32, 8, 151_936, head=128),
    "qwen3-vl-8b": Shape(36, 4096, 12288, 32, 8, 151_936),
    "smolvlm2-256m": Shape(30, 576, 1536, 9, 3, 49_280),
    "smolvlm2-500m": Shape(32, 960, 2560, 15, 5, 49_280),
    "smolvlm2-2.2b": Shape(24, 2048, 8192, 32, 32, 49_280),
    "internvl3-1b": Shape(24, 896, 4864, 14, 2, 151_674),
    "internvl3-2b": Shape(28, 1536, 8960, 12, 2, 151_674),
    "internvl3-8b": Shape(28, 3584, 18944, 28, 4, 151_674),
}
"""The decoders of the catalog's models, by name."""


@dataclass(frozen=True)
class Cost:
    """tokens: in the prompt (where layers differ, in the first). flops: of the prefill, a multiply
    and an add as two. paper_flops: by the paper's formula. cache_bytes: keys and values kept.
    """

    tokens: int
    flops: int
    paper_flops: int
    cache_bytes: int


def shape_of(config: Any) -> Shape:
    """The sizes of a decoder from its transformers configuration (or that of a model around it)."""
    text = config.get_text_config(decoder=True)
    head = getattr(text, "head_dim", None) or 0
    usual = text.hidden_size // text.num_attention_heads
    return Shape(
        layers=text.num_hidden_layers,
        width=text.hidden_size,
        mlp=text.intermediate_size,
        heads=text.num_attention_heads,
        kv_heads=getattr(text, "num_key_value_heads", None) or text.num_attention_heads,
        vocab=text.vocab_size,
        head=0 if head == usual else head,
    )


def prompt_cost(
    shape: Shape, visual: int | Sequence[int], text: int = 0, *, value_bytes: int = 2
) -> Cost:
    """Cost of a prompt of `visual` and `text` tokens.

    visual: one count, or one a layer where a method prunes inside the decoder. value_bytes: of one
    cached number, 2 for bfloat16, 4 for float32. Raises ValueError if the counts are not one a
    layer.
    """
    counts = [visual] * shape.layers if isinstance(visual, int) else list(visual)
    if len(counts) != shape.layers:
        raise ValueError(f"{len(counts)} counts for a decoder of {shape.layers} layers")
    counts = [count + text for count in counts]
    head = 2 * shape.width * shape.vocab  # logits of the last position alone
    return Cost(
        tokens=counts[0],
        flops=sum(layer_flops(shape, n) for n in counts) + head,
        paper_flops=sum(paper_layer_flops(shape, n) for n in counts),
        cache_bytes=sum(2 * n * shape.kv_heads * shape.head_width * value_bytes for n in counts),
    )


def visual_counts(kept: Compression | InDecoder | None, total: int, layers: int) -> list[int]:
    """The visual tokens that each of the decoder's layers reads, for `prompt_cost`.

    total: T*N. kept None: all of them everywhere; inside the decoder: all until it prunes.
    """
    if kept is None:
        return [total] * layers
    if isinstance(kept, InDecoder):
        after, count = kept.layer, target_count(kept.retention, total)
    else:
        after, count = kept.after, kept.kept
    return [total if layer < after else count for layer in range(layers)]


def layer_flops(shape: Shape, n: int) -> int:
    """Operations of one layer over n tokens, a multiply and an add counted as two.

    Query and output projections of all heads, key and value projections of the key-value heads
    alone, three matrices of a gated MLP. The attention matrix counts in full, although a causal
    kernel may skip half of it; norms, rotations and softmax are left out (under 1%).
    """
    wide, narrow = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    projections = 2 * shape.width * (wide + narrow)
    return 2 * n * (projections + 2 * n * wide + 3 * shape.width * shape.mlp)


def paper_layer_flops(shape: Shape, n: int) -> int:
    """4nd^2 + 2n^2d + 2ndm, one layer as LLaVA-Scissor counts it (arXiv 2506.21862).

    It counts a multiply and an add as one, full-width keys and values and an MLP of two matrices.
    """
    d, m = shape.width, shape.mlp
    return 4 * n * d * d + 2 * n * n * d + 2 * n * d * m


PAPER_TFLOPS = {1.0: 41.4, 0.5: 18.6, 0.35: 13.4, 0.2: 7.6, 0.1: 4.0, 0.05: 2.3}
"""Retention -> the FLOPs column of LLaVA-Scissor's tables: 7B, 32 frames x 196 tokens."""

PAPER_TOKENS = 6272


@dataclass(frozen=True)
class PaperRow:
    """What the paper prints beside what its formula gives and what a prefill does.

    printed, formula, flops: in units of 1e12; formula by the paper's, over visual tokens alone.
    off: printed over formula, less 1. text: the text tokens with which the formula gives what is
    printed. cache_bytes: keys and values in bfloat16.
    """

    retention: float
    tokens: int
    printed: float
    formula: float
    off: float
    text: int
    flops: float
    cache_bytes: int


def paper_row(retention: float, shape: Shape | None = None) -> PaperRow:
    """A row of the paper's FLOPs column for LLaVA-OneVision-7B, or another `shape`.

    Raises KeyError for a retention that the paper does not print.
    """
    shape = shape or SHAPES["llava-onevision-7b"]
    printed = PAPER_TFLOPS[retention]
    tokens = round(PAPER_TOKENS * retention)
    cost = prompt_cost(shape, tokens)
    formula = cost.paper_flops / 1e12
    short = (printed - formula) * 1e12
    text = short / (paper_layer_flops(shape, tokens + 1) - paper_layer_flops(shape, tokens))
    return PaperRow(
        retention,
        tokens,
        printed,
        formula,
        printed / formula - 1,
        round(text / shape.layers),
        cost.flops / 1e12,
        cost.cache_bytes,
    )
