"""What the page shows before anyone has asked: an example, encoded, drawn and answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Opening:
    """path: of the clip; dials: their value with a handle; answers: both cards."""

    path: str | None = None
    question: str = "What objects appear in the video?"
    dials: dict[str, Any] = field(default_factory=lambda: {"lead": "retention", "value": 0.1})
    answers: dict[str, Any] | None = None
    status: dict[str, str] = field(default_factory=dict)
