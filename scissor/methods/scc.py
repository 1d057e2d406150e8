"""Semantic Connected Components to an exact budget, under the contract of the others.

Leaves everything to scissor/scc.py (arXiv 2506.21862).
"""

from __future__ import annotations

from scissor import scc
from scissor.types import Compression, Encoded


def compress(encoded: Encoded, retention: float) -> Compression:
    """Exactly target_count(retention, T*N) tokens: every method gets the same budget."""
    return scc.compress(encoded, retention=retention, exact=True)
