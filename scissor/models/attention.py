"""How much attention each patch of a vision tower receives.

Knows how to recompute one attention layer beside the fused kernels, which keep no weights. Leaves
which layer, and what is done with it, to the families.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

Look = Callable[[nn.Module, Tensor, Mapping[str, Any]], Tensor]
"""From an attention layer, its hidden states and its keyword arguments to what shall be noted."""


@contextmanager
def watched(layer: nn.Module, look: Look) -> Iterator[list[Tensor]]:
    """Within it, every call of the self-attention `layer` appends what `look` makes of it."""
    seen: list[Tensor] = []

    def note(module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        seen.append(look(module, args[0] if args else kwargs["hidden_states"], kwargs))

    hook = layer.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield seen
    finally:
        hook.remove()


def received(layer: nn.Module, hidden: Tensor, _: Mapping[str, Any]) -> Tensor:
    """[B, patches] float32: the mean attention received, for a tower without a class token.

    layer: with q_proj, k_proj, num_heads and scale (SigLIP), without mask. hidden: [B, patches, D].
    The mean is over heads and queries; one picture at a time, for memory's sake.
    """
    return torch.stack([_weights(layer, picture).mean(dim=(0, 1)) for picture in hidden])


def paid_by_class(layer: nn.Module, hidden: Tensor, _: Mapping[str, Any]) -> Tensor:
    """[B, patches] float32: the attention that the class token pays, the mean over the heads.

    layer: as for `received` (CLIP, InternViT). hidden: [B, 1 + patches, D], the class token first.
    It is what VisionZip ranks by where there is one (arXiv 2412.04467, section 3.2).
    """
    return torch.stack([_weights(layer, picture, 1)[:, 0, 1:].mean(0) for picture in hidden])


def received_in_segments(layer: nn.Module, hidden: Tensor, more: Mapping[str, Any]) -> Tensor:
    """[patches] float32: the mean attention received within each frame, for Qwen's towers.

    layer: with a joint qkv, num_heads and scaling. hidden: [patches, D], the frames one after the
    other; `more` holds cu_seqlens, where each begins, and position_embeddings, the rotation.
    """
    query, key, _ = layer.qkv(hidden).unflatten(-1, (3, layer.num_heads, -1)).unbind(1)
    query, key = (_rotated(part.float(), *more["position_embeddings"]) for part in (query, key))
    lengths = more["cu_seqlens"].diff().tolist()
    found = [
        _attention(q.transpose(0, 1), k.transpose(0, 1), layer.scaling).mean(dim=(0, 1))
        for q, k in zip(query.split(lengths), key.split(lengths), strict=True)
    ]
    return torch.cat(found)


def cell_means(patches: Tensor, grid: tuple[int, int], cell: int) -> Tensor:
    """[B, N] from [B, patches]: the mean over each token's cell of cell x cell patches."""
    rows, cols = grid
    return patches.reshape(-1, rows, cell, cols, cell).mean(dim=(2, 4)).flatten(1)


def _weights(layer: nn.Module, hidden: Tensor, queries: int | None = None) -> Tensor:
    """[heads, queries, patches] float32 of one picture's hidden states [patches, D]."""
    query = getattr(layer, "q_norm", nn.Identity())(layer.q_proj(hidden[:queries]))
    key = getattr(layer, "k_norm", nn.Identity())(layer.k_proj(hidden))
    query, key = (
        part.float().unflatten(-1, (layer.num_heads, -1)).transpose(0, 1) for part in (query, key)
    )
    return _attention(query, key, layer.scale)


def _attention(query: Tensor, key: Tensor, scale: float) -> Tensor:
    return (query @ key.transpose(1, 2) * scale).softmax(-1)


def _rotated(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """states [patches, heads, width], turned by each patch's position."""
    first, second = states.chunk(2, dim=-1)
    cos, sin = cos.float()[:, None], sin.float()[:, None]
    return states * cos + torch.cat([-second, first], dim=-1) * sin
