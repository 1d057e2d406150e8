"""Every error as a sentence for the visitor.

Knows which errors were written for visitors. The rest become one general sentence and a line in
the log, so that no path or trace of the server ever reaches the page.
"""

from __future__ import annotations

import logging

from torch import OutOfMemoryError

from scissor.models import Cancelled, ModelError
from scissor.video import VideoError

log = logging.getLogger(__name__)
UNEXPECTED = "Something went wrong on our side. Try again; if it stays, try another clip."


class RequestError(ValueError):
    """A visitor's request cannot be met; one sentence says why and what to do."""


def sentence(error: Exception) -> str:
    """What the visitor reads."""
    if isinstance(error, (RequestError, VideoError, ModelError)):
        return str(error)
    if isinstance(error, Cancelled):
        return "Loading was stopped. Press Run to load this model after all, or choose another."
    if isinstance(error, (MemoryError, OutOfMemoryError)):
        return "Memory ran out. Take fewer frames, or choose a smaller model."
    log.error("unexpected error", exc_info=error)
    return UNEXPECTED
