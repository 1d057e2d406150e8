"""The two answers as the page shows them: plain JSON, differing words marked.

Knows what stands on an answer's card. Leaves asking to models/ask.py and drawing to static/.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any

from scissor.models import Answer

Piece = list  # [words, differs]


def board(
    clip: str,
    question: str,
    kept: Answer | None,
    full: Answer | None,
    mark: str,
    encode: float,
) -> dict[str, Any]:
    """Both cards. clip: the key of the encoded clip. mark: of the compression asked with.

    encode: seconds the clip took to encode, which both answers share.
    """
    texts = [answer.text if answer else "" for answer in (kept, full)]
    both = all(answer is not None and answer.done for answer in (kept, full))
    pieces = compared(*texts) if both else tuple([[text, False]] for text in texts)
    return {
        "clip": clip,
        "question": question,
        "encode": encode,
        "kept": card(kept, pieces[0]) | {"mark": mark},
        "all": card(full, pieces[1]),
    }


def card(answer: Answer | None, pieces: list[Piece]) -> dict[str, Any]:
    """One side. first: seconds from the question to the first text, compressing included."""
    if answer is None:
        return {"state": "waiting"}
    state = "stopped" if answer.stopped else "done" if answer.done else "running"
    return {
        "state": "reading" if state == "running" and answer.seconds_first is None else state,
        "model": answer.model,
        "tokens": answer.kept,
        "retention": answer.kept / max(1, answer.total),
        "text": [piece for piece in pieces if piece[0]],
        "compress": answer.seconds_compress,
        "first": answer.seconds_first,
        "total": answer.seconds_total,
    }


def compared(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, those marked that the other text has not at that place.

    Words are compared without case and punctuation; joined again the pieces give the text back.
    """
    words = [re.findall(r"\s*\S+\s*$|\s*\S+|\s+$", text) for text in (one, other)]
    bare = [[re.sub(r"\W+", "", word).lower() for word in side] for side in words]
    same: list[list[bool]] = [[False] * len(side) for side in words]
    for i, j, size in SequenceMatcher(None, *bare, autojunk=False).get_matching_blocks():
        same[0][i : i + size] = same[1][j : j + size] = [True] * size
    return _joined(words[0], same[0]), _joined(words[1], same[1])


def _joined(words: list[str], same: list[bool]) -> list[Piece]:
    pieces: list[Piece] = []
    for word, alike in zip(words, same, strict=True):
        if pieces and pieces[-1][1] is not alike:
            pieces[-1][0] += word
        else:
            pieces.append([word, not alike])
    return pieces


def again(value: dict[str, Any], kept: Answer, mark: str) -> dict[str, Any]:
    """The cards with the compressed side replaced by a new answer; the full side keeps its own."""
    full = value.get("all") or {}
    texts = kept.text, "".join(piece[0] for piece in full.get("text", []))
    pieces = (
        compared(*texts) if kept.done and texts[1] else ([[texts[0], False]], [[texts[1], False]])
    )
    side = card(kept, pieces[0]) | {"mark": mark}
    return value | {"kept": side, "all": full | {"text": [p for p in pieces[1] if p[0]]}}
