"""The decoder's training pass: one clip, many questions.

Knows how a Llama decoder reads a clip's tokens once and, beside it, many separate questions that
each see the clip and themselves only; equal to asking them one by one (a test compares with
transformers' own forward). Leaves the modules to mini/ and the loss to run.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def rotations(decoder: nn.Module, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Positions [S] -> cos and sin [S, head_dim] of the decoder's rotary embedding."""
    probe = torch.empty(1, device=positions.device)
    cos, sin = decoder.model.rotary_emb(probe, positions[None])
    return cos[0], sin[0]


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    left, right = x.chunk(2, -1)
    return x * cos + torch.cat([-right, left], -1) * sin


def question_mask(prefix: int, questions: int, length: int, device: torch.device) -> Tensor:
    """[Q*L, P + Q*L] bool: a question's token sees the prefix and its own question so far."""
    own = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    blocks = torch.block_diag(*[own] * questions)
    return torch.cat([blocks.new_ones(len(blocks), prefix), blocks], 1)


def many_questions(decoder: nn.Module, prefix: Tensor, ids: Tensor) -> Tensor:
    """Hidden states [B, Q, L, D] of questions `ids` [B, Q, L], each after `prefix` [B, P, D].

    Padding stands at a question's end, where nothing that counts can see it.
    """
    batch, questions, length = ids.shape
    before = prefix.shape[1]
    table = decoder.get_input_embeddings()
    x = torch.cat([prefix, F.embedding(ids.flatten(1), table.weight).to(prefix.dtype)], 1)
    ahead = torch.arange(before, before + length, device=ids.device).repeat(questions)
    cos, sin = rotations(decoder, torch.cat([torch.arange(before, device=ids.device), ahead]))
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    mask = question_mask(before, questions, length, ids.device)
    for layer in decoder.model.layers:
        x = x + _attend(layer, x, cos, sin, before, mask)
        y = _norm(layer.post_attention_layernorm, x)
        mlp = layer.mlp
        wide = F.silu(_line(mlp.gate_proj, y)) * _line(mlp.up_proj, y)
        x = x + _line(mlp.down_proj, wide)
    return _norm(decoder.model.norm, x[:, before:]).unflatten(1, (questions, length))


def _norm(norm: nn.Module, x: Tensor) -> Tensor:
    return F.rms_norm(x, x.shape[-1:], norm.weight.to(x.dtype), norm.variance_epsilon)


def _line(linear: nn.Module, x: Tensor) -> Tensor:
    return F.linear(x, linear.weight.to(x.dtype))


def _attend(
    layer: nn.Module, x: Tensor, cos: Tensor, sin: Tensor, before: int, mask: Tensor
) -> Tensor:
    attention = layer.self_attn
    y = _norm(layer.input_layernorm, x)
    query, key, value = (
        _line(line, y).unflatten(-1, (-1, attention.head_dim)).transpose(1, 2)
        for line in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    query, key = _rotate(query, cos, sin), _rotate(key, cos, sin)
    key, value = (
        part.repeat_interleave(query.shape[1] // part.shape[1], 1) for part in (key, value)
    )
    clip = F.scaled_dot_product_attention(
        query[:, :, :before], key[:, :, :before], value[:, :, :before], is_causal=True
    )
    asked = F.scaled_dot_product_attention(query[:, :, before:], key, value, attn_mask=mask)
    mixed = torch.cat([clip, asked], 2).transpose(1, 2).flatten(2)
    return _line(attention.o_proj, mixed)
