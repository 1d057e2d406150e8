"""Video language models, one file a family, behind one contract.

Knows which file serves which family. Leaves everything else to that file; transformers is imported
only when a model is loaded.
"""

from __future__ import annotations

from importlib import import_module

import torch

from scissor.models.ask import Answer, ask, ask_both
from scissor.models.contract import Cancelled, Kept, ModelError, VideoLLM
from scissor.models.loading import Checkpoint, Progress, folder_of, name_of, read_config
from scissor.models.machine import pick_device, pick_dtype

__all__ = [
    "Answer",
    "Cancelled",
    "Kept",
    "ModelError",
    "VideoLLM",
    "ask",
    "ask_both",
    "load_model",
]

FAMILIES = {
    "mini": "mini",
    "llava_onevision": "onevision",
    "llava_qwen": "llava_scissor",
    "llava_next_video": "llava_next_video",
    "qwen2_5_vl": "qwen2_5_vl",
    "qwen3_vl": "qwen3_vl",
    "smolvlm": "smolvlm",
    "internvl": "internvl",
}
"""A checkpoint's family (family_of) -> the file here that serves it: load(checkpoint)."""

RANDOM = "scissor_random_weights"
"""True in the config.json of a checkpoint that was written for tests: its answers mean nothing."""

RANDOM_LABEL = "(random weights)"
"""What the names of such models end with."""


def load_model(
    name: str,
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    four_bit: bool = False,
    progress: Progress | None = None,
) -> VideoLLM:
    """Load a model by catalog name, hub repository or local folder.

    device: CUDA where there is one, else the CPU. dtype: bfloat16 on CUDA, else float32.
    four_bit: weights in 4 bits, by bitsandbytes on CUDA.
    progress: called with a fraction and a phrase; what it raises ends the load. Raises ModelError
    with a sentence that helps.
    """
    tell = progress or (lambda fraction, phrase: None)
    device = pick_device(device)
    title = name_of(name)
    tell(0.0, f"Looking for {title}")
    folder = folder_of(name, progress)
    config = read_config(folder)
    family = family_of(config)
    if family not in FAMILIES:
        raise ModelError(
            f"{title} is a {family or 'nameless'} model; the families known here are "
            f"{', '.join(FAMILIES)}."
        )
    tell(0.6, "Loading the weights")
    if config.get(RANDOM):
        title = f"{title} {RANDOM_LABEL}"
    kind = pick_dtype(device, dtype)
    module = import_module(f"scissor.models.{FAMILIES[family]}")
    model = module.load(Checkpoint(folder, title, config, device, kind, four_bit))
    tell(1.0, "Ready")
    return model


def family_of(config: dict) -> str | None:
    """transformers' model_type; "mini" for a folder in the embedded model's own format.

    "llava_qwen" for LLaVA-NeXT's format, whatever model_type a training run left in it.
    """
    if {"stages", "decoder"} <= config.keys():
        return "mini"
    made_by = " ".join(config.get("architectures") or ())
    return "llava_qwen" if "LlavaQwen" in made_by else config.get("model_type")
