"""From a dial's position to what the page draws: pure functions, plain JSON out.

Knows the wire format of the canvas (base64 of small integers). Leaves the method to scc.py, the
views to draw/overlay.py, and drawing to static/.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from scissor.cost import SHAPES, Shape, prompt_cost
from scissor.draw.overlay import VIEWS, View, view
from scissor.scc import Prepared, compress
from scissor.types import Compression
from scissor.ui.errors import RequestError
from scissor.ui.guess import guesses
from scissor.ui.store import Clip

BARS = 64
STOPS = 40  # thresholds at which the sweep stands
PROMPT_TEXT = 48  # tokens of text around the visual ones: system line, question, roles


@dataclass(frozen=True)
class Dial:
    """Where the dials stand: the one that leads ("tau" or "retention") and its value."""

    lead: str = "retention"
    value: float = 0.1

    @classmethod
    def read(cls, raw: Any) -> Dial:
        """A dial from the page's JSON; whatever is not one becomes the default."""
        lead, value = (raw.get("lead"), raw.get("value")) if isinstance(raw, dict) else (None, None)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value != value:
            return cls()
        value = float(min(max(value, -1), 1))
        if lead == "tau":
            return cls("tau", value)
        if lead == "retention":
            return cls("retention", max(1e-4, value))
        return cls()


def compress_at(clip: Clip, dial: Dial) -> Compression:
    """The compression that the dial asks for."""
    if dial.lead == "tau":
        return compress(clip.prepared, tau=dial.value)
    return compress(clip.prepared, retention=dial.value, curve=clip.curve)


def redraw(clip: Clip, dial: Dial, compression: Compression) -> dict[str, Any]:
    """All that changes when a dial moves.

    asked: the retention asked for, None where tau leads.
    """
    total, middle, kept = compression.counts
    views = {name: view(clip.prepared, compression, name) for name in VIEWS}
    groups = views["groups"]
    tau = compression.tau_temporal
    return {
        "clip": clip.encoded.key,
        "mark": mark(compression),
        "lead": dial.lead,
        "asked": dial.value if dial.lead == "retention" else None,
        "tau": 1.0 if tau is None else tau,
        "retention": compression.retention,
        "counts": [total, middle, kept],
        "moved": compression.moved,
        "fewer": fewer_flops(clip.encoded.model, total, kept, clip.shape),
        "elsewhere": elsewhere(total, kept),
        "views": {name: pack(shown) for name, shown in views.items()},
        "guesses": {
            str(group): word
            for group, word in guesses(clip.encoded, clip.words, groups.ids, groups.size).items()
        },
    }


def mark(made: Compression) -> str:
    """Equal marks, equal kept tokens (of one clip)."""
    return f"{made.kept}@{made.tau_temporal}"


def fewer_flops(model: str, total: int, kept: int, shape: Shape | None = None) -> float | None:
    """How many times fewer operations the prefill takes; None for a model of unknown sizes."""
    shape = shape or SHAPES.get(model)
    if shape is None:
        return None
    before, after = (prompt_cost(shape, count, PROMPT_TEXT).flops for count in (total, kept))
    return before / after


def elsewhere(total: int, kept: int, model: str = "llava-onevision-7b") -> dict[str, Any]:
    """What the same cut saves on a model of the paper's size: prefill FLOPs and cache bytes."""
    before, after = (prompt_cost(SHAPES[model], count, PROMPT_TEXT) for count in (total, kept))
    return {
        "model": model,
        "flops": [before.flops, after.flops],
        "bytes": [before.cache_bytes, after.cache_bytes],
    }


def pack(shown: View) -> dict[str, str]:
    """A view for the canvas: ids and hubs as uint16, colours as uint8, likeness as uint8 / 255.

    A dropped token's id is 65535; a hub is its flat index t*N + n as uint32.
    """
    width = shown.ids.shape[1]
    ids = shown.ids.where(shown.ids >= 0, 65535).numpy().astype("<u2")
    hubs = (shown.hub[:, 0] * width + shown.hub[:, 1]).numpy().astype("<u4")
    like = (shown.likeness.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return {
        "ids": text(ids),
        "hubs": text(hubs),
        "colours": text(shown.colour.numpy()),
        "likeness": text(like),
    }


def alike(clip: Clip, token: Any) -> dict[str, str]:
    """The cosine of one token (flat index t*N + n) to all of the clip's, as int16 / 32767.

    Raises RequestError for a token that the clip has not.
    """
    units = clip.prepared.units.flatten(0, 1)
    if not isinstance(token, int) or not 0 <= token < len(units):
        raise RequestError("There is no such patch in this clip.")
    found = (units @ units[token]).clamp(-1, 1)
    return {"cosines": text((found * 32767).round().numpy().astype("<i2"))}


def scene(clip: Clip) -> dict[str, Any]:
    """All that stays while a clip is shown: pictures, grid, times, forest, histogram, curve."""
    parent, weight = links(clip.prepared)
    return {
        "pictures": list(clip.pictures),
        "aspect": clip.aspect,
        "grid": list(clip.encoded.grid),
        "times": [round(float(t), 2) for t in clip.encoded.times],
        "parent": text(parent.astype("<u2")),
        "weight": text(weight.astype("<f4")),
        "histogram": histogram(clip),
        "stops": stops(clip),
        "curve": {
            "taus": [round(float(t), 6) for t in clip.curve.taus],
            "kept": [int(k) for k in clip.curve.kept],
        },
    }


def links(prepared: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """Each token's edge in its frame's spanning forest: (parent [T, N], weight [T, N]).

    A tree's root is its own parent, at weight -2.
    """
    forest = prepared.forest
    parent = torch.empty_like(forest.order).scatter_(1, forest.order, forest.parent)
    weight = torch.empty_like(forest.weight).scatter_(1, forest.order, forest.weight)
    return parent.numpy(), weight.clamp(min=-2).numpy()


def histogram(clip: Clip) -> dict[str, Any]:
    """How alike the patches of a frame are: pair counts over the threshold's useful range.

    lo, hi: the range in which this clip's kept count moves, from 1% (or its least) to all.
    """
    lo, hi = useful_range(clip)
    n = clip.prepared.similar.shape[-1]
    i, j = torch.triu_indices(n, n, 1)
    pairs = clip.prepared.similar[:, i, j].flatten().numpy()
    counts, _ = np.histogram(pairs, bins=BARS, range=(lo, hi))
    return {"lo": lo, "hi": hi, "bars": counts.tolist()}


def useful_range(clip: Clip) -> tuple[float, float]:
    """The thresholds between which the kept count moves, with a little air."""
    taus, kept = clip.curve.taus, clip.curve.kept
    total = clip.encoded.tokens.shape[0] * clip.encoded.tokens.shape[1]
    least = max(0.005 * total, 1.5 * float(kept.min()))
    low = taus[np.flatnonzero(kept <= least)]
    lo = float(low.max()) if len(low) else float(taus.min())
    high = taus[np.flatnonzero(kept >= total)]
    hi = min(1.0, float(high.min()) if len(high) else 1.0)
    air = max(0.02 * (hi - lo), 1e-3)
    return max(-1.0, round(lo - air, 4)), min(1.0, round(hi + air, 4))


def stops(clip: Clip) -> list[float]:
    """Falling thresholds from all tokens to half a percent, even steps in the logarithm of kept."""
    taus, total = clip.curve.taus, clip.prepared.forest.weight.numel()
    kept = np.log(np.maximum.accumulate(np.maximum(clip.curve.kept, 1)))
    least = max(kept[0], np.log(max(1, 0.005 * total)))
    rise = np.concatenate([[True], np.diff(kept) > 0])  # one threshold for every count
    at = np.interp(np.linspace(np.log(total), least, STOPS), kept[rise], taus[rise])
    return [round(float(tau), 6) for tau in at]


def text(array: np.ndarray) -> str:
    """The bytes of an array as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
