"""Video language models, one file a family, behind one contract.

Knows which file serves which family. Leaves everything else to that file; transformers is imported
only when a model is loaded.
"""

from __future__ import annotations

from importlib import import_module

import torch

from scissor.models.ask import Answer, ask, ask_both
from scissor.models.contract import Kept, ModelError, VideoLLM
from scissor.models.loading import Progress, folder_of, name_of, read_config
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

FAMILIES = {"llava_onevision": "onevision", "mini": "mini"}
"""A checkpoint's family (family_of) -> the file here that serves it: load(folder, name, ...)."""


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
    tell = progress or (lambda fraction, phrase: None)
    device = pick_device(device)
    title = name_of(name)
    tell(0.0, f"Looking for {title}")
    folder = folder_of(name, progress)
    family = family_of(read_config(folder))
    if family not in FAMILIES:
        raise ModelError(
            f"{title} is a {family or 'nameless'} model; the families known here are "
            f"{', '.join(FAMILIES)}."
        )
    tell(0.6, "Loading the weights")
    module = import_module(f"scissor.models.{FAMILIES[family]}")
    model = module.load(folder, title, device, pick_dtype(device, dtype))
    tell(1.0, "Ready")
    return model


def family_of(config: dict) -> str | None:
    """transformers' model_type; "mini" for a folder in the embedded model's own format."""
    return "mini" if {"stages", "decoder"} <= config.keys() else config.get("model_type")
