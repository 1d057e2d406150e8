"""VisionZip (arXiv 2412.04467): the patches that attention favours, the rest as a few averages.

Knows the dominant and the contextual tokens of a frame and how a clip's budget is split between
them. Leaves the attention to the model (Encoded.attention): what a patch receives in the vision
tower's chosen layer, from the class token where there is one, else on average.

Where this differs. The paper merges by an average; its public code adds the mean of what is merged
to the contextual token itself, which doubles its length: this follows the paper. The code compares
the keys of the tower's layer; here the model's own tokens are compared, by cosine, since keys are
not kept. Its budgets are 54 + 10, 108 + 20 and 162 + 30 tokens a picture: 10 in 64 are contextual.
"""

from __future__ import annotations

import torch
from torch import Tensor

from scissor.graph import unit
from scissor.methods.parts import evenly, unite
from scissor.types import Compression, Encoded, target_count

CONTEXTUAL = 10 / 64


def compress(encoded: Encoded, retention: float) -> Compression:
    """Exactly target_count tokens; where a frame gets no contextual token, its rest is dropped."""
    frames, cells = encoded.tokens.shape[:2]
    target = target_count(retention, frames * cells)
    merged = round(target * CONTEXTUAL)
    # extra tokens go to the first frames here and to the last there: no frame exceeds its cells
    dominant = evenly(target - merged, frames)
    contextual = evenly(merged, frames)[::-1]
    units = unit(encoded.tokens)
    label = torch.full((frames, cells), -1)
    hubs: list[Tensor] = []
    kept = 0
    for t in range(frames):
        home = _homes(encoded.attention[t], units[t], dominant[t], contextual[t])
        hub = (home == torch.arange(cells)).nonzero()[:, 0]
        at = torch.full((cells + 1,), -1)
        at[hub] = kept + torch.arange(len(hub))
        label[t] = at[home]
        hubs.append(t * cells + hub)
        kept += len(hub)
    return unite(encoded, label, torch.cat(hubs), "visionzip", retention)


def _homes(received: Tensor, units: Tensor, dominant: int, contextual: int) -> Tensor:
    """[N] int64: the patch into which each patch of a frame goes, -1 where it is dropped."""
    home = torch.full((len(units),), -1)
    best = received.argsort(descending=True, stable=True)[:dominant]
    home[best] = best
    rest = (home < 0).nonzero()[:, 0]
    if not contextual:
        return home
    centres = rest[:: len(rest) // contextual][:contextual]
    home[rest] = centres[(units[rest] @ units[centres].T).argmax(1)]
    home[centres] = centres
    return home
