"""Control: tokens evenly spread over the clip's sequence, without a look at them.

Knows the paper's "uniform" row of its ablation (arXiv 2506.21862, section 4.4), which says no more
than the name. Equal steps through the frames' patches in reading order.
"""

from __future__ import annotations

import torch

from scissor.methods.parts import select
from scissor.types import Compression, Encoded, target_count


def compress(encoded: Encoded, retention: float) -> Compression:
    """Exactly target_count tokens; gaps between neighbours differ by one at most."""
    total = encoded.tokens.shape[0] * encoded.tokens.shape[1]
    count = target_count(retention, total)
    # the middle of each of `count` equal parts, in whole numbers so that nothing is rounded
    chosen = (2 * torch.arange(count) + 1) * total // max(1, 2 * count)
    return select(encoded, chosen, "uniform", retention)
