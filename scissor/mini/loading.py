"""The embedded model's folder: config.json, model.safetensors, tokenizer.json and the names.

Knows how the model is written there and read again as ordinary float32 modules. Leaves the stored
format of a weight to quantise.py.
"""

from __future__ import annotations

from errno import ENOENT
from pathlib import Path

import torch

from scissor.mini.config import Config
from scissor.mini.decoder import TOKENIZER, load_tokenizer
from scissor.mini.model import Mini
from scissor.mini.quantise import dequantise, plain_state, quantise

WEIGHTS, CONFIG = "model.safetensors", "config.json"
NAMES, DRAWN = "imagenet.txt", "drawn.txt"


def shipped() -> Path:
    """The folder in the repository that holds the embedded model."""
    return Path(__file__).parents[2] / "assets" / "mini"


def read_names(folder: str | Path) -> list[str]:
    """The ImageNet class names of a folder, in the order of the classes."""
    return _lines(Path(folder) / NAMES)


def read_drawn(folder: str | Path) -> list[str]:
    """The drawn names of a folder, in the order of the classifier's further rows; mostly none."""
    path = Path(folder) / DRAWN
    return _lines(path) if path.is_file() else []


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def save(model: Mini, folder: str | Path) -> None:
    """Write the model's weights, in few bits, and its configuration, tokenizer and names."""
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(quantise(plain_state(model), model.config.bits), folder / WEIGHTS)
    model.config.write(folder / CONFIG)
    model.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER), pretty=False)
    classes = model.config.classes
    _write(folder / NAMES, model.class_names[:classes])
    if model.config.drawn:
        _write(folder / DRAWN, model.class_names[classes:])


def _write(path: Path, names: list[str]) -> None:
    path.write_text("\n".join(names) + "\n", encoding="utf-8")


def blank(folder: str | Path) -> Mini:
    """The model of a folder's configuration, tokenizer and names, its weights on "meta"."""
    import transformers.models.llama.modeling_llama  # noqa: F401  torch 2.8 cannot import it below

    config = Config.read(Path(folder) / CONFIG)
    tokenizer, names = load_tokenizer(folder), [*read_names(folder), *read_drawn(folder)]
    with torch.device("meta"):
        return Mini(config, tokenizer, names)


def load(folder: str | Path | None = None) -> Mini:
    """Read what `save` wrote (the shipped model unless told): float32, on the CPU, in eval mode.

    Raises FileNotFoundError where a file is missing, KeyError where a weight is.
    """
    from safetensors.torch import load_file

    folder = Path(folder) if folder else shipped()
    if not (folder / WEIGHTS).is_file():
        raise FileNotFoundError(ENOENT, "the model's weights are missing", folder / WEIGHTS)
    model = blank(folder)
    shapes = {name: weight.shape for name, weight in plain_state(model).items()}
    weights = dequantise(load_file(folder / WEIGHTS), shapes, model.config.bits)
    assign(model, weights)
    return model.eval().requires_grad_(False)


def assign(model: Mini, weights: dict[str, torch.Tensor]) -> None:
    """Put float32 weights by plain name into a model built on "meta"; tie the decoder's head."""
    model.load_state_dict(weights, strict=False, assign=True)
    model.decoder.tie_weights()
    left = [name for name, weight in model.named_parameters() if weight.is_meta]
    if left:
        raise KeyError(f"the embedded model's file lacks {left[0]}")
