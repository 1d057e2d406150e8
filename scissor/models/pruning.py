"""Pruning inside the decoder: FastV (arXiv 2403.06764, section 4), for Llama-like decoders.

Knows which visual tokens FastV drops and how the layers go on with the rest: after `layer` layers
the prompt keeps its text and the visual tokens that its last token attends to most there (mean over
the heads). Kept tokens keep their positions, later layers cache only them, and every hook is gone
when a forward call ends. Leaves prefill and decoding to decoding.py.

The paper scores a token by the attention it receives from all others, its public code by that of
the last token alone; this follows the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from scissor.models.contract import ModelError
from scissor.types import Compression, Encoded, InDecoder, target_count


class Pruner:
    """Makes the contexts in which one prompt's run is pruned: the first call is the prefill.

    visual: [K] int64, where the visual tokens stand in a prompt of `length` rows. After the prefill
    `kept` holds the indices into them that were kept, ascending.
    """

    kept: Tensor | None = None

    def __init__(self, lm: nn.Module, visual: Tensor, length: int, how: InDecoder) -> None:
        self._layers = lm.get_decoder().layers
        if how.method != "fastv":
            raise ValueError(f"pruning inside the decoder is by fastv, not {how.method!r}")
        if not 1 <= how.layer < len(self._layers):
            raise ValueError(f"prune after 1 to {len(self._layers) - 1} layers, not {how.layer}")
        if not hasattr(self._layers[0].self_attn, "q_proj"):
            raise ModelError(
                "Pruning inside the decoder is not offered for this model's attention."
            )
        self._visual, self._length, self._how = visual, length, how
        self._count = target_count(how.retention, len(visual))
        self._rows = torch.empty(0, dtype=torch.int64)
        self._query: Tensor | None = None

    @contextmanager
    def __call__(self, cache: Any) -> Iterator[None]:
        """A context for the next forward call over `cache`."""
        start, prefill = self._how.layer, self.kept is None
        watch = self._layers[start - 1].self_attn
        hooks = []
        if prefill:
            hooks.append(watch.register_forward_pre_hook(self._see_query, with_kwargs=True))
        change = partial(self._prune, cache) if prefill else self._fit_mask
        for layer in self._layers[start:]:
            hooks.append(layer.register_forward_pre_hook(change, with_kwargs=True))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _see_query(self, attention: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        hidden = (args[0] if args else kwargs["hidden_states"])[:, -1:]
        query = attention.q_proj(hidden).unflatten(-1, (-1, attention.head_dim))
        query = getattr(attention, "q_norm", nn.Identity())(query)[0, 0]
        cos, sin = (part[..., -1, :] for part in kwargs["position_embeddings"])
        first, second = query.chunk(2, dim=-1)
        self._query = query * cos + torch.cat([-second, first], dim=-1) * sin  # [heads, width]

    def _prune(
        self, cache: Any, layer: nn.Module, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[tuple, dict[str, Any]]:
        """Shorten what a layer of the prefill reads; the first one's hidden states as well."""
        hidden = args[0]
        if self.kept is None:
            self._choose(cache)
            hidden = hidden[:, self._rows.to(hidden.device)]
        rows = self._rows.to(hidden.device)
        short = {
            "position_embeddings": tuple(
                part[..., rows, :] for part in kwargs["position_embeddings"]
            ),
        }
        if kwargs.get("position_ids") is not None:  # Qwen's decoders hand on the embeddings alone
            short["position_ids"] = kwargs["position_ids"][..., rows]
        if kwargs.get("attention_mask") is not None:
            short["attention_mask"] = kwargs["attention_mask"][..., rows, :][..., rows]
        return (hidden, *args[1:]), {**kwargs, **short}

    def _choose(self, cache: Any) -> None:
        """Set `kept` by the attention that the layer before paid from the last prompt token."""
        at = self._how.layer - 1
        keys = cache.layers[at].keys[0].float()  # [key-value heads, P, width]
        query = self._query.float().unflatten(0, (keys.shape[0], -1))
        scores = query @ keys.transpose(1, 2) * self._layers[at].self_attn.scaling
        paid = scores.softmax(-1).mean(dim=(0, 1)).cpu()[self._visual]
        best = paid.argsort(descending=True, stable=True)[: self._count]
        self.kept = best.sort().values
        if self._how.chosen is not None:
            self._how.chosen(self.kept)
        stays = torch.ones(self._length, dtype=torch.bool)
        stays[self._visual] = False
        stays[self._visual[self.kept]] = True
        self._rows = stays.nonzero()[:, 0]

    def _fit_mask(
        self, layer: nn.Module, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[tuple, dict[str, Any]] | None:
        """A later call's mask is as wide as the first layer's cache: drop the pruned columns."""
        mask = kwargs.get("attention_mask")
        if mask is None:
            return None
        columns = torch.cat([self._rows, torch.arange(self._length, mask.shape[-1])])
        return args, {**kwargs, "attention_mask": mask[..., columns.to(mask.device)]}


def selection(encoded: Encoded, kept: Tensor, method: str = "fastv", after: int = 0) -> Compression:
    """The input tokens `kept` [K] (flat indices, ascending) as a Compression that only selects.

    after: the layers that still read all tokens (Compression.after).
    """
    T, N, _ = encoded.tokens.shape
    share = torch.full((T * N,), -1, dtype=torch.int64)
    share[kept] = torch.arange(len(kept))
    share = share.reshape(T, N)
    return Compression(
        method=method,
        tokens=encoded.tokens.flatten(0, 1)[kept],
        grid=encoded.grid,
        spatial=share,
        group=share,
        share=share,
        hub=torch.stack([kept // N, kept % N], dim=1),
        place=encoded.places[kept],
        counts=(T * N, len(kept), len(kept)),
        target=len(kept),
        after=after,
    )
