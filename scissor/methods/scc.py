"""Semantic Connected Components to an exact budget, whole and with a part left out.

Knows the paper's ablations (arXiv 2506.21862, section 4.4) under the contract of the others. Leaves
everything else to scissor/scc.py, whose docstring says where the public code differs.
"""

from __future__ import annotations

from dataclasses import replace

from scissor import scc
from scissor.types import Compression, Encoded


def compress(encoded: Encoded, retention: float) -> Compression:
    """Exactly target_count(retention, T*N) tokens: every method gets the same budget."""
    return scc.compress(encoded, retention=retention, exact=True)


def spatial(encoded: Encoded, retention: float) -> Compression:
    """Step 1 alone, and the merge; never fewer tokens than frames."""
    found = scc.compress(encoded, retention=retention, exact=True, steps="spatial")
    return replace(found, method="scc-spatial")


def temporal(encoded: Encoded, retention: float) -> Compression:
    """Step 2 alone, on the patches of all frames, and the merge."""
    found = scc.compress(encoded, retention=retention, exact=True, steps="temporal")
    return replace(found, method="scc-temporal")


def unmerged(encoded: Encoded, retention: float) -> Compression:
    """Both steps; every kept token is the mean of its step-1 tokens."""
    found = scc.compress(encoded, retention=retention, exact=True, merge=False)
    return replace(found, method="scc-unmerged")
