"""The model that a fresh page offers first, and the sentence that says which one answered.

Knows the Spacefile's wish and when it can be met. Leaves what runs here to the catalog.
"""

from __future__ import annotations

from pathlib import Path

from scissor.models import catalog, machine
from scissor.space import ROOT, read_space
from scissor.ui.store import EMBEDDED


def default_model(root: Path = ROOT) -> str:
    """The Spacefile's default where a GPU, its memory and a hub are at hand, else the embedded one.

    On a CPU even the smallest of the others takes minutes for a clip.
    """
    try:
        wanted = catalog.find(read_space(root).default_model)
    except ValueError:  # a package without its Spacefile still has a page
        wanted = None
    if wanted is None or wanted.repository is None or machine.pick_device().type == "cpu":
        return EMBEDDED
    return wanted.name if catalog.why_not(wanted) is None else EMBEDDED


def opening_note(default: str) -> str:
    """What to say under the opening, which the embedded model answered; empty if it is offered."""
    entry = catalog.find(default)
    if entry is None or default == EMBEDDED:
        return ""
    return f"mini, which comes along, answered this first example; Run asks {entry.title}."
