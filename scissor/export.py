"""Kept tokens and where they came from, as one file.

Knows the safetensors layout that holds a Compression. Leaves making one to scc.py and methods/.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from scissor.types import Compression, Encoded

FORMAT = "scissor-tokens-1"
TENSORS = ("tokens", "spatial", "group", "share", "hub", "place")
FACTS = ("method", "grid", "counts", "tau_spatial", "tau_temporal", "target", "seconds", "after")


def write_tokens(
    path: str | Path, compression: Compression, encoded: Encoded, clip: str = ""
) -> None:
    """Write kept tokens with their whole provenance and the frames' times.

    The tensors are named as in Compression, and `times` [T]; the metadata entry "scissor" is JSON:
    the compression's other fields, the model's name and the clip's. Raises OSError if it cannot be
    written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {name: getattr(compression, name).contiguous() for name in TENSORS}
    tensors["times"] = torch.as_tensor(encoded.times, dtype=torch.float64)
    facts = {name: getattr(compression, name) for name in FACTS}
    facts["seconds"] = dict(compression.seconds)
    facts |= {"format": FORMAT, "model": encoded.model, "clip": clip}
    # clones: a file may not hold two names of one memory, and methods may share theirs
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    try:
        save_file(tensors, path, {"scissor": json.dumps(facts)})
    except SafetensorError as error:
        raise OSError(f"{Path(path).name} cannot be written there") from error


def read_tokens(path: str | Path) -> tuple[Compression, dict]:
    """What write_tokens wrote: the compression, and {times, model, clip}.

    Raises ValueError for another file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("scissor", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError("this is not a safetensors file") from error
    if facts.get("format") != FORMAT:
        raise ValueError("this file holds no tokens written by Scissor")
    times = tensors.pop("times").numpy()
    facts.setdefault("after", 0)  # files written before the field was there
    fields = {name: facts[name] for name in FACTS}
    fields |= {"grid": tuple(fields["grid"]), "counts": tuple(fields["counts"])}
    rest = {"times": times, "model": facts["model"], "clip": facts["clip"]}
    return Compression(**tensors, **fields), rest
