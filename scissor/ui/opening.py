"""What the page shows before anyone has asked: an example, encoded, drawn and answered.

Knows the example and the recorded answers of the embedded model to it. The recording lies beside
the clip, is made by `python -m scissor.ui.opening` from the real model, and is shown only while the
weights are those it was made with. Encoding and drawing are never recorded: they happen at start.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from scissor.mini.loading import CONFIG, WEIGHTS, shipped
from scissor.ui.desk import Desk, last
from scissor.ui.errors import sentence
from scissor.ui.examples import CLIPS, OBJECTS, examples
from scissor.ui.links import name_of
from scissor.ui.redraw import Dial, mark
from scissor.ui.store import Clip

FRAMES = 16
MODEL = "mini"
DIAL = Dial("retention", 0.1)
RECORD = CLIPS / "opening.json"
NOTE = "Recorded with this very model when this page was made; Run asks it again, here and now."


@dataclass(frozen=True)
class Opening:
    """path: of the clip, for the player. dials, answers, status: first values of those parts."""

    path: str | None = None
    question: str = OBJECTS
    dials: dict[str, Any] = field(default_factory=lambda: _dials(None))
    answers: dict[str, Any] | None = None
    status: dict[str, str] = field(default_factory=dict)


def open_page(desk: Desk) -> Opening:
    """Encode the first example. Where that cannot be, the page opens empty and says why."""
    first = next(iter(examples()), None)
    if first is None:
        return Opening()
    try:
        handle, clip = desk.open(first.path, MODEL, FRAMES)
    except Exception as error:
        return Opening(str(first.path), status={"text": sentence(error), "kind": "bad"})
    answers = recorded(clip, mark(desk.compression(clip, DIAL)), first.question)
    return Opening(str(first.path), first.question, _dials(handle, name_of(first)), answers)


def _dials(handle: str | None, example: str | None = None) -> dict[str, Any]:
    return {
        "handle": handle,
        "lead": DIAL.lead,
        "value": DIAL.value,
        "example": example,
        "model": MODEL,
        "frames": FRAMES,
    }


def recorded(clip: Clip, made: str, question: str, record: Path = RECORD) -> dict[str, Any] | None:
    """The recorded answers to the opening question, if they belong to these weights.

    made: the mark of the compression that the page opens with, here the same as when it was made
    but for the last digits of another machine's arithmetic.
    """
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if found.get("weights") != fingerprint() or found.get("question") != question:
        logging.getLogger(__name__).warning("the opening's recording belongs to other weights")
        return None
    answers = found["answers"]
    answers["kept"]["mark"] = made
    return answers | {"clip": clip.encoded.key, "question": question, "note": NOTE}


def fingerprint(folder: Path | None = None) -> str:
    """Sha-256 over the embedded model's configuration and weights; empty where they are missing."""
    folder = folder or shipped()
    digest = sha256()
    try:
        for name in (CONFIG, WEIGHTS):
            digest.update((folder / name).read_bytes())
    except OSError:
        return ""
    return digest.hexdigest()


def record_answers(desk: Desk) -> dict[str, Any]:
    """Ask the opening's question now: what `recorded` reads."""
    first = examples()[0]
    _, clip = desk.open(first.path, MODEL, FRAMES)
    answers = last(desk.answers(clip, DIAL, first.question, lambda: False))
    answers.pop("clip")
    return {"weights": fingerprint(), "question": first.question, "answers": answers}


if __name__ == "__main__":
    RECORD.write_text(json.dumps(record_answers(Desk()), indent=1) + "\n", encoding="utf-8")
