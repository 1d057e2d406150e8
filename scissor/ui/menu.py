"""The model menu: what can answer here, and in plain words why the others cannot.

Knows the catalog's entries as menu lines and as a list, and when a page takes models that the
catalog does not have. Leaves loading to store.py.
"""

from __future__ import annotations

import os
from html import escape

import torch

from scissor.models import catalog
from scissor.models.entries import GIB, Entry
from scissor.models.machine import pick_device, pick_dtype

Reasons = dict[str, str | None]


def local_models() -> bool:
    """Whether the page takes hub repositories and folders too.

    Never on a Space; elsewhere where SCISSOR_LOCAL_MODELS says so, or, without it, where the page
    serves this machine alone.
    """
    if os.environ.get("SPACE_ID"):
        return False
    wish = os.environ.get("SCISSOR_LOCAL_MODELS")
    if wish is not None:
        return wish.lower() not in ("", "0", "false", "no")
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    shared = os.environ.get("GRADIO_SHARE", "").lower() in ("true", "1")
    return host in ("127.0.0.1", "localhost", "::1") and not shared


def reasons() -> Reasons:
    """Name -> why this machine cannot run it, None where it can."""
    return {entry.name: catalog.why_not(entry) for entry in catalog.ENTRIES}


def model_choices(why: Reasons | None = None) -> tuple[list[tuple[str, str]], str]:
    """((line, name) of every model, those that can answer here first; a sentence on the others)."""
    why = reasons() if why is None else why
    order = sorted(catalog.ENTRIES, key=lambda entry: why[entry.name] is not None)
    lines = [
        (entry.title if why[entry.name] is None else f"{entry.title} · not here", entry.name)
        for entry in order
    ]
    here = sum(reason is None for reason in why.values())
    note = f"{here} of {len(order)} can answer here; the list below says why not the others."
    if here == len(order):
        note = "All of them can answer here."
    return lines, note + (" Or type a hub repository or a folder." if local_models() else "")


def model_list(why: Reasons | None = None) -> str:
    """HTML: what each model is and needs, against what it was checked, whether it runs here."""
    why = reasons() if why is None else why
    order = sorted(catalog.ENTRIES, key=lambda entry: why[entry.name] is not None)
    items = "".join(_item(entry, why[entry.name]) for entry in order)
    device = pick_device()
    kind = str(pick_dtype(device)).removeprefix("torch.")
    return f"<p>This machine runs models on {device.type}, in {kind}.</p><ul>{items}</ul>"


def _size(parameters: int) -> str:
    return f"{parameters / 1e9:.1f} B" if parameters >= 10**9 else f"{parameters / 1e6:.0f} M"


def _item(entry: Entry, reason: str | None) -> str:
    whole, four = (entry.memory(torch.bfloat16, four_bit=bits) / GIB for bits in (False, True))
    memory = f"{whole:.1f} GB in bf16"
    facts = [
        f"{_size(entry.parameters)} parameters",
        f"{memory}, {four:.1f} GB in 4 bits" if entry.repository else memory,
        f"{'about ' if entry.varies else ''}{entry.tokens_per_frame:.0f} tokens a frame",
        entry.licence + (" (gated)" if entry.gated else ""),
        f"wants {entry.hardware}",
        f"adapter checked on {entry.checked} ({entry.checked_on})",
        f"{entry.repository} at {entry.revision}" if entry.repository else "comes along",
    ]
    kind, word = ("sc-here", "runs here") if reason is None else ("sc-absent", "not here")
    because = f"<p>{escape(reason)}</p>" if reason else ""
    return (
        f'<li class="{kind}"><b>{escape(entry.title)}</b><span>{word}</span>'
        f"{because}<p>{escape(' · '.join(facts))}</p></li>"
    )
