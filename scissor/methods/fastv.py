"""FastV (arXiv 2403.06764, section 4): prune inside the decoder, by the attention it pays.

Knows the paper's default, K = 2 layers, and that a family may need more: extras["prune_from"] of a
clip. Leaves the pruning to models/pruning.py, which says where the public code differs from the
paper.
"""

from __future__ import annotations

from scissor.types import Encoded, InDecoder, target_count

LAYER = 2


def compress(encoded: Encoded, retention: float, layer: int = LAYER) -> InDecoder:
    """After `layer` layers the decoder keeps that share of the visual tokens; they read all.

    Raises ValueError for a retention outside (0, 1].
    """
    target_count(retention, encoded.tokens.shape[0] * encoded.tokens.shape[1])
    return InDecoder(max(layer, encoded.extras.get("prune_from", 1)), retention)
