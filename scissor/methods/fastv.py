"""FastV (arXiv 2403.06764, section 4): prune inside the decoder, by the attention it pays.

Knows the paper's default, K = 2 layers. Leaves the pruning to models/pruning.py, which says where
the public code differs from the paper.
"""

from __future__ import annotations

from scissor.types import Encoded, InDecoder

LAYER = 2


def compress(encoded: Encoded, retention: float, layer: int = LAYER) -> InDecoder:
    """From `layer` on the decoder keeps that share of the visual tokens; before it reads all."""
    return InDecoder(layer, retention)
