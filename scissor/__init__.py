"""Scissor: see, feel and use video token compression.

The public names stand here, flat, and load on first use: importing the package loads neither
transformers nor gradio.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Video": "types",
    "Encoded": "types",
    "Compression": "types",
    "InDecoder": "types",
    "read_video": "video",
    "VideoError": "video",
    "Limits": "video",
    "prepare": "scc",
    "compress": "scc",
    "Prepared": "scc",
    "curve": "scc",
    "Curve": "budget",
    "METHODS": "methods",
    "smallest_retention": "fidelity",
    "prompt_cost": "cost",
    "SHAPES": "cost",
    "load_model": "models",
    "VideoLLM": "models",
    "ModelError": "models",
    "ask": "models",
    "ask_both": "models",
    "read_tokens": "export",
    "write_tokens": "export",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'scissor' has no attribute {name!r}")
    return getattr(import_module(f"scissor.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
