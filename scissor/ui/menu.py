"""The model menu: what can answer here, and in plain words why the others cannot.

Knows the catalog's entries as menu lines. Leaves loading to store.py.
"""

from __future__ import annotations

from scissor.models import catalog


def model_choices() -> tuple[list[tuple[str, str]], str]:
    """((line, name) of every model, those that can answer here first; a sentence on the others)."""
    reasons = {entry.name: catalog.why_not(entry) for entry in catalog.ENTRIES}
    order = sorted(catalog.ENTRIES, key=lambda entry: reasons[entry.name] is not None)
    lines = [
        (entry.title if reasons[entry.name] is None else f"{entry.title} · not here", entry.name)
        for entry in order
    ]
    absent = [entry for entry in order if reasons[entry.name]]
    note = "" if not absent else f"{absent[0].title}: {reasons[absent[0].name]}"
    return lines, note
