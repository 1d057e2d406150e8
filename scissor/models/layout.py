"""Where text and visual tokens stand in a prompt, before and after tokens were dropped.

Knows how one slot a frame becomes that frame's tokens, and that text never goes. Leaves what the
text says to chat.py and the families.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from scissor.models.contract import Kept, ModelError
from scissor.models.decoding import Prompt, kept_order
from scissor.types import Compression, Encoded


@dataclass(frozen=True, eq=False)
class Layout:
    """A chat turn as ids, laid out with all of the clip's tokens, and what stays of it.

    ids: [P] int64, a placeholder for every visual token. slots: [T*N] int64, where these stand.
    columns: [P'] int64, the columns of `ids` that stay. hubs: [K] int64, the visual tokens among
    them, in their order.
    """

    ids: Tensor
    slots: Tensor
    columns: Tensor
    hubs: Tensor


def lay_out(ids: Tensor, slot: int, encoded: Encoded, kept: Kept) -> Layout:
    """Make N columns of every frame's slot, then keep the text and the kept tokens' columns."""
    T, N, _ = encoded.tokens.shape
    found = (ids == slot).nonzero()[:, 0]
    if len(found) != T + ("newline" in encoded.extras):
        raise ModelError("This checkpoint's tokenizer does not know its family's video tokens.")
    counts = torch.ones_like(ids)
    counts[found[:T]] = N
    first = counts.cumsum(0)[found[:T]] - N
    slots = (first[:, None] + torch.arange(N)).flatten()
    full = ids.repeat_interleave(counts)
    hubs = torch.arange(T * N)
    if isinstance(kept, Compression):
        hubs = (kept.hub[:, 0] * N + kept.hub[:, 1])[kept_order(kept)]
    text = torch.ones(len(full), dtype=torch.bool)
    text[slots] = False
    columns = torch.cat([text.nonzero()[:, 0], slots[hubs]]).sort(stable=True).values
    return Layout(full, slots, columns, hubs)


@torch.inference_mode()
def fill(lm: nn.Module, layout: Layout, rows: Tensor, newline: Tensor | None = None) -> Prompt:
    """The prompt of a layout: `rows` [K, D] in the kept tokens' columns, embedded text elsewhere.

    newline: [D], the row of the placeholder after the last frame, for families that have one.
    """
    table = lm.get_input_embeddings()
    where, kind = table.weight.device, table.weight.dtype
    visual = torch.isin(layout.columns, layout.slots).nonzero()[:, 0]
    embeds = table(layout.ids[layout.columns].to(where)).clone()
    embeds[visual.to(where)] = rows.to(where, kind)
    if newline is not None:
        end = int(torch.searchsorted(layout.columns, layout.slots[-1] + 1))
        embeds[end] = newline.to(where, kind)
    return Prompt(embeds[None], visual)
