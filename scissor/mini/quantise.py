"""Weights in few bits, and back.

Knows the one format of assets/mini/model.safetensors: each matrix cut into groups along its rows,
every group a scale times small integers, and those integers stored bit plane by bit plane. Leaves
which weight gets how many bits to config.py.

A group's scale maps its value of largest magnitude to the lowest integer, -2^(bits-1) (so the range
is used whole); it is kept as float8 (e4m3) for up to 4 bits and as float16 above, over one power of
two for the whole matrix. Every step is exact float32 arithmetic, elementwise or a minimum or a
maximum, so CPU and GPU agree to the bit, and what was rounded once stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

Spec = tuple[int, int]
"""(bits, group): group 0 is the whole row. 16 bits are plain float16."""

_CODES, _SCALES, _UNIT = ".codes", ".scales", ".unit"


def spec_of(name: str, shape: Iterable[int], bits: Mapping[str, Spec]) -> Spec | None:
    """How the weight `name` is stored: the longest prefix in `bits`; None for vectors (float32)."""
    if len(tuple(shape)) < 2:
        return None
    return bits[max((prefix for prefix in bits if name.startswith(prefix)), key=len)]


def _groups(weight: Tensor, group: int) -> Tensor:
    rows = weight.detach().float().reshape(weight.shape[0], -1)
    fits = group and rows.shape[1] % group == 0
    return rows.reshape(-1, group if fits else rows.shape[1])


def _round(weight: Tensor, spec: Spec) -> tuple[Tensor, Tensor, Tensor]:
    """Integers [G, group] float32, scales [G, 1] as they are stored, and the unit they are over."""
    bits, group = spec
    values, low = _groups(weight, group), 2 ** (bits - 1)
    top, bottom = values.amax(1, keepdim=True), values.amin(1, keepdim=True)
    scales = torch.where(top > -bottom, top, bottom) / -low
    kind = torch.float8_e4m3fn if bits <= 4 else torch.float16
    unit = _unit(scales.abs().amax())
    stored = (scales / unit).to(kind)
    steps = stored.float() * unit
    whole = torch.where(steps == 0, 0.0, values / torch.where(steps == 0, 1.0, steps))
    return whole.round().clamp(-low, low - 1), stored, unit


def _unit(largest: Tensor) -> Tensor:
    """The power of two over which `largest` lies above 128 and at most at 256; 1 for zero."""
    mantissa = torch.frexp(largest).mantissa
    mantissa = torch.where(mantissa == 0.5, 1.0, mantissa)
    return torch.where(largest == 0, 1.0, largest / mantissa / 256)


def round_weight(weight: Tensor, spec: Spec) -> Tensor:
    """The weight as it will be after saving and loading, in its own shape; float32."""
    if spec[0] == 16:
        return weight.detach().half().float()
    whole, stored, unit = _round(weight, spec)
    return (whole * (stored.float() * unit)).reshape(weight.shape)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, spec: Spec) -> Tensor:
        return round_weight(weight, spec).to(weight.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def fake_quantise(weight: Tensor, spec: Spec | None) -> Tensor:
    """round_weight in the forward pass, the identity in the backward one (straight-through)."""
    return weight if spec is None else _StraightThrough.apply(weight, spec)


def quantise(state: Mapping[str, Tensor], bits: Mapping[str, Spec]) -> dict[str, Tensor]:
    """Weights by name -> what is stored: codes, scales and unit of a matrix, vectors as float32."""
    stored: dict[str, Tensor] = {}
    for name, weight in state.items():
        weight = weight.detach().cpu()
        spec = spec_of(name, weight.shape, bits)
        if spec is None:
            stored[name] = weight.float().contiguous()
            continue
        if spec[0] == 16:
            stored[name] = weight.half().contiguous()
            continue
        whole, scales, unit = _round(weight, spec)
        codes = (whole + 2 ** (spec[0] - 1)).to(torch.uint8).numpy()
        stored[name + _CODES] = torch.from_numpy(_pack(codes, spec[0]))
        stored[name + _SCALES] = scales[:, 0].contiguous()
        stored[name + _UNIT] = unit
    return stored


def dequantise(
    stored: Mapping[str, Tensor], shapes: Mapping[str, torch.Size], bits: Mapping[str, Spec]
) -> dict[str, Tensor]:
    """What `quantise` stored -> float32 weights of the given shapes, by name.

    Raises KeyError where a weight of `shapes` is not stored.
    """
    return {name: _weight(stored, name, shape, bits) for name, shape in shapes.items()}


def _weight(
    stored: Mapping[str, Tensor], name: str, shape: torch.Size, bits: Mapping[str, Spec]
) -> Tensor:
    spec = spec_of(name, shape, bits)
    if spec is None or spec[0] == 16:
        return stored[name].float().reshape(shape)
    codes = _unpack(stored[name + _CODES].numpy(), spec[0], shape.numel())
    codes -= 2 ** (spec[0] - 1)  # wraps round, and is read as signed
    steps = stored[name + _SCALES].float() * stored[name + _UNIT]
    whole = torch.from_numpy(codes.view(np.int8)).view(len(steps), -1)
    return torch.mul(whole, steps[:, None]).view(shape)


def _pack(codes: np.ndarray, bits: int) -> np.ndarray:
    """uint8 codes -> [bits, bytes] uint8, plane b holding bit b of eight codes a byte."""
    flat = codes.reshape(-1)
    return np.stack([np.packbits(flat >> plane & 1) for plane in range(bits)])


def _unpack(planes: np.ndarray, bits: int, count: int) -> np.ndarray:
    codes = np.unpackbits(planes[0], count=count)
    for plane in range(1, bits):
        codes |= np.unpackbits(planes[plane], count=count) << plane
    return codes


class Rounding(nn.Module):
    """A parametrisation: the module computes with the weight as it will be stored."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, weight: Tensor) -> Tensor:
        """The rounded weight, with straight-through gradients."""
        return fake_quantise(weight, self.spec)


def start_rounding(model: nn.Module, bits: Mapping[str, Spec]) -> None:
    """From now on every stored-in-few-bits weight of `model` is rounded whenever it is used.

    Parameters stay the same objects (an optimiser goes on with them); tied weights stay tied.
    """
    for owner, module in list(model.named_modules()):
        for local, weight in list(module.named_parameters(recurse=False)):
            spec = spec_of(f"{owner}.{local}", weight.shape, bits)
            tied_head = (owner, local) == ("decoder.lm_head", "weight")
            if tied_head:
                spec = spec_of("decoder.model.embed_tokens.weight", weight.shape, bits)
            if spec is not None:
                parametrize.register_parametrization(module, local, Rounding(spec), unsafe=True)


def stop_rounding(model: nn.Module) -> None:
    """Undo start_rounding; the parameters keep their unrounded values."""
    for module in model.modules():
        for local in list(getattr(module, "parametrizations", {})):
            parametrize.remove_parametrizations(module, local, leave_parametrized=False)


def plain_state(model: nn.Module) -> dict[str, Tensor]:
    """The model's weights by their plain names, rounding or not; a tied head is left out."""
    state = {}
    for name, weight in model.state_dict().items():
        if name.endswith(".original"):
            name = name.removesuffix(".original").replace("parametrizations.", "")
        if not name.startswith("decoder.lm_head"):
            state[name] = weight
    return state
