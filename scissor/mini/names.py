"""Names of things as the decoder's own words.

Knows how a list of names becomes one vector each: the mean input embedding of its tokens, as they
stand in the middle of a sentence. Leaves whose names they are to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class Names(nn.Module):
    """Names, ready to be embedded by any table of input embeddings; holds no weights."""

    def __init__(self, names: Sequence[str], encode: Callable[[str], list[int]]) -> None:
        """`encode` turns text into token ids without special tokens."""
        super().__init__()
        rows = [encode(" " + name) for name in names]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        lengths = torch.tensor([len(row) for row in rows])
        self.register_buffer("ids", ids, persistent=False)
        self.register_buffer("lengths", lengths, persistent=False)

    def forward(self, table: Tensor) -> Tensor:
        """Input embeddings [V, D] -> embedded names [len(names), D]; differentiable."""
        real = torch.arange(self.ids.shape[1], device=table.device) < self.lengths[:, None]
        return (table[self.ids] * real[..., None]).sum(1) / self.lengths[:, None].to(table.dtype)
