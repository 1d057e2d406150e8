"""Control: whole frames, evenly spread over the clip, all others dropped.

Knows how many frames come nearest to the budget and which they are.
"""

from __future__ import annotations

import torch

from scissor.methods.parts import select
from scissor.types import Compression, Encoded, target_count


def compress(encoded: Encoded, retention: float) -> Compression:
    """The number of frames nearest to the target, at least one; the middle one if it is one."""
    frames, cells = encoded.tokens.shape[:2]
    target = target_count(retention, frames * cells)
    count = min(frames, max(1, int(target / max(1, cells) + 0.5)))
    last = frames - 1
    kept = [last // 2] if count == 1 else [round(k * last / (count - 1)) for k in range(count)]
    chosen = torch.tensor(kept)[:, None] * cells + torch.arange(cells)
    return select(encoded, chosen.flatten(), "frames", retention)
