"""The board of the Compare tab: plain JSON, a row for all tokens and one for each method.

Knows what stands in a row and how it is packed for static/compare.js. Leaves asking to compare.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from scissor.cost import Shape, prompt_cost, visual_counts
from scissor.draw.overlay import view
from scissor.fidelity import Fidelity
from scissor.methods import METHODS
from scissor.models import Answer
from scissor.types import Compression
from scissor.ui import cards
from scissor.ui.redraw import PROMPT_TEXT, pack, text
from scissor.ui.store import Clip

FULL = {"name": "all", "title": "All tokens", "line": "The answer every other is held against."}


def new_board(clip: Clip, question: str, names: list[str], retention: float) -> dict[str, Any]:
    """Every row waits. attention: of the vision tower, where a method of the rows goes by it."""
    attends = {name for name in names if METHODS[name].needs_attention}
    rows = [FULL] + [_head(name) for name in names]
    seen = clip.encoded.attention
    return {
        "clip": clip.encoded.key,
        "question": question,
        "retention": retention,
        "all": clip.prepared.forest.weight.numel(),
        "attention": text(attention_bytes(seen)) if attends and seen is not None else None,
        "rows": [
            row | {"state": "waiting", "text": [], "attends": row["name"] in attends}
            for row in rows
        ],
    }


def _head(name: str) -> dict[str, str]:
    return {"name": name, "title": METHODS[name].title, "line": METHODS[name].line}


def attention_bytes(attention: Tensor) -> np.ndarray:
    """[T, N] uint8: the attention received; its 99th percentile and all above are 255."""
    top = attention.flatten().quantile(0.99).clamp_min(1e-12)
    return (attention / top).clamp(0, 1).mul(255).round().byte().numpy()


def told(clip: Clip, shape: Shape, answer: Answer) -> dict[str, Any]:
    """A row's part that an answer tells; its frames once all is said."""
    card = cards.card(answer, [[answer.text, False]])
    row = {name: card[name] for name in ("state", "text", "first", "total")}
    row |= {"kept": answer.kept, "fewer": _fewer(shape, answer)}
    made = answer.compression
    if answer.done and isinstance(made, Compression):
        row["views"] = {
            name: pack(view(clip.prepared, made, name)) for name in ("groups", "shares")
        }
        if made.target not in (None, made.kept):
            row["note"] = f"asked {made.target:,}, nearest {made.kept:,}"
    return row


def held_against(full: str, answer: str, found: Fidelity) -> dict[str, Any]:
    """A row's part that only the answer from all tokens brings: differing words, drift."""
    pieces = cards.compared(full, answer)[1]
    return {
        "text": [piece for piece in pieces if piece[0]],
        "drift": found.drift,
        "agreement": found.agreement,
    }


def out_of_reach(name: str, frames: int) -> dict[str, Any]:
    """A row's part for a budget under the method's floor."""
    floor = METHODS[name].floor(frames)
    return {"state": "out of reach", "note": f"Keeps at least {floor:.0%} of this clip."}


def _fewer(shape: Shape, answer: Answer) -> float:
    """How many times fewer operations the prefill takes than from all tokens."""
    counts = visual_counts(answer.compression, answer.total, shape.layers)
    full = prompt_cost(shape, answer.total, PROMPT_TEXT).flops
    return full / prompt_cost(shape, counts, PROMPT_TEXT).flops
