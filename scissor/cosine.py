"""Tokens -> cosine similarities, in float32 to the last bit that float32 can promise.

Knows how vectors of any float type and length become cosines, and how a product is compared with a
threshold so that `similarity > tau` is exact. Leaves graphs to graph.py and sets too large for one
matrix to tiles.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor

from scissor.union import with_numpy

WHOLE = 2048  # vectors up to which a GPU multiplies all with all in one go
DUPLICATE = float(np.float32(1 - 2e-6))  # a cosine above it counts as 1: the rest is float32 noise


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Float32 products mean float32 here: no TF32, no bf16 passes, no autocast; undone at exit."""
    backend = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    setting = getattr(backend, "matmul", None)
    before = getattr(setting, "fp32_precision", None)
    if before is None:  # torch before 2.9
        before = torch.get_float32_matmul_precision()
        put, exact = torch.set_float32_matmul_precision, "highest"
    else:
        put, exact = partial(setattr, setting, "fp32_precision"), "ieee"
    put(exact)
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        put(before)


def unit(x: Tensor) -> Tensor:
    """[..., n, D] of any float type -> float32 vectors of length 1; zero vectors stay zero.

    Raises ValueError that names the first vector with a value that is NaN or infinite.
    """
    x = x.float()
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    if not norm.numel():
        return x
    low, high = torch.stack(torch.aminmax(norm)).tolist()
    if not (low > 1e-15 and high < 1e18):  # lengths whose squares leave float32, or not any
        refuse(x)
        largest = x.abs().amax(-1, keepdim=True) if x.shape[-1] else norm
        x = x / largest.clamp_min(torch.finfo(torch.float32).tiny)
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        norm = norm.where(norm > 0, 1.0)
    return x / norm


def refuse(x: Tensor, frame: int = 0) -> None:
    """Raise ValueError that names the first vector of x with a value that is NaN or infinite.

    frame: the number of x's first frame.
    """
    finite = torch.isfinite(x).all(-1)
    if not finite.all():
        *at, token = (~finite).nonzero()[0].tolist()
        where = f" of frame {at[0] + frame}" if at else ""
        raise ValueError(f"token {token}{where} is NaN or infinite")


def snap(product: Tensor) -> Tensor:
    """Products of unit vectors as cosines, in place: within [-1, 1], duplicates exactly 1."""
    return product.clamp_(-1, 1).masked_fill_(product > DUPLICATE, 1.0)


def upper_products(units: Tensor) -> Tensor:
    """Products of the vectors [T, N, D] of every frame with each other, 0 in part where i > j.

    Three strips of rows, each from the diagonal on: a third of the work is left out. A GPU does
    small products whole: a strip would leave most of it idle.
    """
    frames, n = units.shape[:2]
    if not with_numpy(units) and n <= WHOLE:
        return units @ units.mT
    product = torch.zeros(frames, n, n, device=units.device)
    strip = -(-n // 3)
    for r in range(0, n, max(strip, 1)):
        product[:, r : r + strip, r:] = units[:, r : r + strip] @ units[:, r:].mT
    return product


def similarities(units: Tensor, others: Tensor | None = None) -> Tensor:
    """Cosines of unit vectors: [..., n, n], symmetric to the bit, or [..., n, m] with others."""
    if others is not None:
        return snap(units @ others.mT)
    frames = units.reshape(math.prod(units.shape[:-2]), *units.shape[-2:])
    upper = snap(upper_products(frames)).triu_()
    return (upper + upper.triu(1).mT).reshape(*units.shape[:-1], units.shape[-2])


def cosines(x: Tensor, y: Tensor | None = None) -> Tensor:
    """Cosine similarities in float32 of tokens [..., n, D], among themselves or with y [..., m, D].

    In [-1, 1]; above 1 - 2e-6 exactly 1; a zero vector has similarity 0 to everything, itself too.
    """
    with full_precision(x.device):
        return similarities(unit(x), None if y is None else unit(y))


def floor32(tau: float) -> float:
    """The largest float32 not above tau: `similarity > tau` in float32 is then exact for any tau.

    Raises ValueError unless -1 <= tau <= 1.
    """
    if not -1 <= tau <= 1:
        raise ValueError(f"tau is a cosine: it must be between -1 and 1, not {tau}")
    near = np.float32(tau)
    return float(near if float(near) <= tau else np.nextafter(near, np.float32(-2)))


def cut(tau: float) -> float:
    """The float32 that raw products of unit vectors must exceed to be edges at tau.

    The same edges as `similarities > tau`, without snapping: nothing is above 1, and what counts as
    1 is above every lower tau.
    """
    exact = floor32(tau)
    return math.inf if exact >= 1 else min(exact, DUPLICATE)


def above(products: Tensor, bound: float) -> Tensor:
    """products > bound. On a CPU numpy is quicker at it, and keeps other threads out of it."""
    if not with_numpy(products):
        return products > bound
    return torch.from_numpy(np.greater(products.numpy(), np.float32(bound)))


def tally(hits: Tensor, dim: int) -> Tensor:
    """hits.sum(dim), int64, of a bool tensor; bytes are added as bytes."""
    if not with_numpy(hits):
        return hits.sum(dim)
    count = np.add.reduce(hits.numpy().view(np.uint8), dim, dtype=np.uint32)
    return torch.from_numpy(count.astype(np.int64))
