"""What the simple methods share: a Compression from chosen tokens or from given groups.

Knows how provenance is filled in. Leaves which tokens are chosen or united to the methods.
"""

from __future__ import annotations

import torch
from torch import Tensor

from scissor.types import Compression, Encoded, target_count


def select(encoded: Encoded, chosen: Tensor, method: str, retention: float) -> Compression:
    """Keeps the tokens with the flat indices `chosen` [K] int64, ascending; others are dropped."""
    frames, cells, width = encoded.tokens.shape
    label = torch.full((frames * cells,), -1, dtype=torch.int64)
    label[chosen] = torch.arange(len(chosen))
    return compression(
        encoded,
        method,
        encoded.tokens.reshape(-1, width)[chosen],
        label.view(frames, cells),
        chosen,
        encoded.places[chosen],
        retention,
    )


def unite(
    encoded: Encoded, label: Tensor, hub: Tensor, method: str, retention: float
) -> Compression:
    """Averages the tokens of each group. label: [T, N] int64, every group 0..K-1 in use.

    hub: [K] int64, the flat index of each group's hub. A label of -1 drops the token.
    """
    flat, total = label.flatten(), len(hub)
    kept = flat >= 0
    flat = flat[kept]
    size = torch.bincount(flat, minlength=total).float()[:, None]
    tokens = encoded.tokens.flatten(0, 1)[kept].float()
    sums = torch.zeros(total, tokens.shape[1]).index_add_(0, flat, tokens)
    spots = torch.zeros(total, 3).index_add_(0, flat, encoded.places[kept])
    return compression(encoded, method, sums / size, label, hub, spots / size, retention)


def evenly(count: int, parts: int) -> list[int]:
    """`count` in that many whole parts, the larger ones (by one) first."""
    return [count // parts + (k < count % parts) for k in range(parts)]


def compression(
    encoded: Encoded,
    method: str,
    tokens: Tensor,
    label: Tensor,
    hub: Tensor,
    place: Tensor,
    retention: float,
) -> Compression:
    """From kept tokens [K, D], labels [T, N] (-1: dropped), flat hubs [K] and places [K, 3]."""
    total, cells = label.numel(), max(1, label.shape[1])
    return Compression(
        method=method,
        tokens=tokens.float(),
        grid=encoded.grid,
        spatial=label,
        group=label,
        share=label,
        hub=torch.stack([hub // cells, hub % cells], 1),
        place=place,
        counts=(total, len(hub), len(hub)),
        target=target_count(retention, total),
    )
