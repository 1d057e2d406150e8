"""Video language models, one file a family, behind one contract.

Knows which file serves which family. Leaves everything else to that file; transformers is imported
only when a model is loaded.
"""

from __future__ import annotations

from importlib import import_module

import torch

from scissor.models.ask import Answer, ask, ask_both
from scissor.models.contract import Kept, ModelError, VideoLLM
from scissor.models.loading import Progress, folder_of, read_config
from scissor.models.machine import pick_device, pick_dtype

__all__ = [
    "Answer",
    "Kept",
    "ModelError",
    "VideoLLM",
    "ask",
    "ask_both",
    "load_model",
]

FAMILIES = {"llava_onevision": "onevision"}
"""config.json's model_type -> the file here that serves it, through load(folder, name, ...)."""


def load_model(
    name: str,
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    progress: Progress | None = None,
) -> VideoLLM:
    """Load a model by catalog name, hub repository or local folder.

    device: CUDA where there is one, else the CPU. dtype: bfloat16 on CUDA, else float32.
    progress: called with a fraction and a phrase. Raises ModelError with a sentence that helps.
    """
    device = pick_device(device)
    dtype = pick_dtype(device, dtype)
    if name == "mini":
        return import_module("scissor.models.mini").load(device=device, dtype=dtype)
    if progress:
        progress(0.0, f"Looking for {name}")
    folder = folder_of(name, progress)
    family = read_config(folder).get("model_type")
    if family not in FAMILIES:
        raise ModelError(
            f"{name} is a {family or 'nameless'} model; the families known here are "
            f"{', '.join(FAMILIES)}."
        )
    if progress:
        progress(0.6, "Loading the weights")
    model = import_module(f"scissor.models.{FAMILIES[family]}").load(folder, name, device, dtype)
    if progress:
        progress(1.0, "Ready")
    return model
