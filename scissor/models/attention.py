"""How much attention each patch of a vision tower receives.

Knows how to recompute one attention layer beside the fused kernels, which keep no weights. Leaves
which layer, and what is done with it, to the families.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def received_attention(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Within it, every call of `layer` appends [B, patches]: the mean attention received.

    layer: a self-attention with q_proj, k_proj, num_heads and scale (SigLIP, CLIP), without mask.
    The mean is over heads and queries, in float32, one picture at a time.
    """
    seen: list[Tensor] = []

    def look(module: nn.Module, args: tuple, kwargs: dict) -> None:
        hidden = args[0] if args else kwargs["hidden_states"]
        seen.append(torch.stack([_received(module, picture) for picture in hidden]))

    hook = layer.register_forward_pre_hook(look, with_kwargs=True)
    try:
        yield seen
    finally:
        hook.remove()


def _received(layer: nn.Module, hidden: Tensor) -> Tensor:
    """[patches] float32 from one picture's hidden states [patches, D]."""
    query, key = (
        project(hidden).float().unflatten(-1, (layer.num_heads, -1)).transpose(0, 1)
        for project in (layer.q_proj, layer.k_proj)
    )
    return (query @ key.transpose(1, 2) * layer.scale).softmax(-1).mean(dim=(0, 1))
