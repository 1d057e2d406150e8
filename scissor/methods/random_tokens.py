"""Control: tokens chosen at random, without a look at them.

Knows how the choice is seeded. The paper's ablation has uniform sampling in the same place
(arXiv 2506.21862, section 4.4).
"""

from __future__ import annotations

import hashlib

import torch

from scissor.methods.parts import select
from scissor.types import Compression, Encoded, target_count


def compress(encoded: Encoded, retention: float, seed: int = 0) -> Compression:
    """Exactly target_count tokens in their order; equal clips and seeds choose equally."""
    total = encoded.tokens.shape[0] * encoded.tokens.shape[1]
    digest = hashlib.sha256(f"{seed} {encoded.key}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
    order = torch.randperm(total, generator=generator)
    chosen = order[: target_count(retention, total)].sort().values
    return select(encoded, chosen, "random", retention)
