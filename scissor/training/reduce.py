"""Ways to live with fewer tokens, for training only.

Knows reductions that belong to no compressor: random subsets, whole frames, pooled cells, averages
around random centres. The decoder meets them all, so that no method of the comparison has an
advantage from training. Leaves the compressors themselves to scc.py and methods/.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from scissor.types import cell_places

KINDS = ("all", "subset", "frames", "pool", "centres", "both")
FEWEST = 32


def reduce(
    tokens: Tensor, grid: tuple[int, int], kind: str, keep: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Tokens [B, T, N, D] -> about `keep` a clip: tokens [B, K, D] and places [B, K, 3].

    A merged token stands at the mean place (frame, row, column) of what it averages. `generator`
    lives on the CPU. kind is one of KINDS; "both" is a random subset, then random centres.
    """
    batch, frames, cells, width = tokens.shape
    place = cell_places(frames, grid).to(tokens.device).expand(batch, -1, -1)
    flat = tokens.flatten(1, 2)
    if kind == "all" or keep >= frames * cells:
        return flat, place
    if kind == "subset":
        return _subset(flat, place, keep, generator)
    if kind == "frames":
        return _frames(tokens, place, max(1, round(keep / cells)), generator)
    if kind == "pool":
        return _pool(tokens, place, grid, keep, generator)
    if kind == "both":
        flat, place = _subset(flat, place, min(flat.shape[1], 3 * keep), generator)
    return _centres(flat, place, keep, generator)


def _pick(batch: int, total: int, keep: int, like: Tensor, generator: torch.Generator) -> Tensor:
    draw = torch.rand(batch, total, generator=generator).to(like.device)
    return draw.topk(keep, 1).indices.sort(1).values


def _take(x: Tensor, index: Tensor) -> Tensor:
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))


def _subset(
    flat: Tensor, place: Tensor, keep: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    index = _pick(*flat.shape[:2], keep, flat, generator)
    return _take(flat, index), _take(place, index)


def _frames(
    tokens: Tensor, place: Tensor, keep: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    batch, frames, cells, width = tokens.shape
    index = torch.randperm(frames, generator=generator)[:keep].sort().values.to(tokens.device)
    place = place.unflatten(1, (frames, cells))
    return tokens[:, index].flatten(1, 2), place[:, index].flatten(1, 2)


def _pool(
    tokens: Tensor, place: Tensor, grid: tuple[int, int], keep: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    batch, frames, cells, width = tokens.shape
    times = max(1, round(frames / 2 ** int(torch.randint(0, 3, (), generator=generator))))
    side = (keep / times) ** 0.5
    size = (times, *(min(n, max(1, round(side))) for n in grid))

    def shrink(x: Tensor) -> Tensor:
        block = x.reshape(batch, frames, *grid, -1).permute(0, 4, 1, 2, 3)
        return F.adaptive_avg_pool3d(block.float(), size).flatten(2).transpose(1, 2)

    return shrink(tokens).to(tokens.dtype), shrink(place)


def _centres(
    flat: Tensor, place: Tensor, keep: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    index = _pick(*flat.shape[:2], keep, flat, generator)
    unit = F.normalize(flat.detach(), dim=-1)
    home = (unit @ _take(unit, index).transpose(1, 2)).argmax(-1)
    home.scatter_(1, index, torch.arange(keep, device=flat.device).expand_as(index))

    def mean(x: Tensor) -> Tensor:
        total = torch.zeros(x.shape[0], keep, x.shape[-1], device=x.device)
        total = total.scatter_add(1, home[..., None].expand_as(x), x.float())
        return (total / size[..., None]).to(x.dtype)

    size = torch.zeros(index.shape, device=flat.device)
    size.scatter_add_(1, home, torch.ones_like(home, dtype=size.dtype))
    return mean(flat), mean(place)
