"""DyCoke's temporal merging (arXiv 2411.15024): of every four frames one stays whole.

Knows which patches of the other three repeat an earlier frame: in a window of four the second frame
is compared with the first, the fourth with the third, and the third with the first, patch by patch
at the same place; the most alike go. Leaves out the paper's second part, which takes tokens out of
the cache while the answer is being written.

Where this differs. The public code, like this, drops the patches that the paper calls merged. It
leaves the third frame of the last window whole and an odd last frame out; here every window is
treated alike, and the budget is met exactly: what the whole frames leave of it is split evenly.
"""

from __future__ import annotations

import torch

from scissor.graph import unit
from scissor.methods.parts import evenly, select
from scissor.types import Compression, Encoded, target_count

WINDOW = 4
BEFORE = (0, 1, 2, 1)
"""How many frames before it stands the one that each frame of a window is compared with."""


def compress(encoded: Encoded, retention: float) -> Compression:
    """Exactly target_count tokens. Raises ValueError below the share of the whole frames."""
    frames, cells = encoded.tokens.shape[:2]
    whole = set(range(0, frames, WINDOW))
    left = target_count(retention, frames * cells) - len(whole) * cells
    if left < 0:
        raise ValueError(f"DyCoke keeps at least {len(whole)} of {frames} frames whole")
    counts = iter(evenly(left, frames - len(whole)))
    units = unit(encoded.tokens)
    chosen = []
    for t in range(frames):
        likeness = (units[t] * units[t - BEFORE[t % WINDOW]]).sum(-1)
        order = likeness.argsort(stable=True)
        kept = order if t in whole else order[: next(counts)]
        chosen.append(t * cells + kept.sort().values)
    return select(encoded, torch.cat(chosen), "dycoke", retention)
