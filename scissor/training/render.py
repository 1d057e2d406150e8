"""Scenes drawn on the GPU, hundreds of frames at once.

Knows how arrays of boxes, pictures and backgrounds become frames, in the look of scenes/render.py
but with bilinear sampling and changing light, and which cell shows what. Leaves what stands where
to data.py. A test holds it against the exact renderer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, eq=False)
class Atlas:
    """All pictures at two sizes and all backgrounds, packed for random access on one device.

    small, large: [P * side**2] int32, RGBA bytes premultiplied, little end first; backs: the same,
    [B * height * width] and opaque.
    """

    large: Tensor
    small: Tensor
    side: int
    backs: Tensor
    back_size: tuple[int, int]

    @classmethod
    def make(cls, pictures: Tensor, backs: Tensor) -> Atlas:
        """pictures [P, S, S, 4] uint8 (not premultiplied), backs [B, H, W, 3] uint8."""
        alpha = pictures[..., 3:].float() / 255
        rgba = torch.cat(
            [(pictures[..., :3] * alpha).round().to(torch.uint8), pictures[..., 3:]], -1
        )
        halves = F.avg_pool2d(rgba.permute(0, 3, 1, 2).float(), 2).round().to(torch.uint8)
        opaque = torch.cat([backs, torch.full_like(backs[..., :1], 255)], -1)

        def pack(x: Tensor) -> Tensor:
            return x.contiguous().view(torch.int32).flatten()

        small = pack(halves.permute(0, 2, 3, 1))
        return cls(pack(rgba), small, pictures.shape[1], pack(opaque), tuple(backs.shape[1:3]))

    def to(self, device: str | torch.device) -> Atlas:
        """The same on another device."""
        large, small, backs = (x.to(device) for x in (self.large, self.small, self.backs))
        return Atlas(large, small, self.side, backs, self.back_size)


def sample(table: Tensor, start: Tensor, size: tuple[int, int], u: Tensor, v: Tensor) -> Tensor:
    """RGBA [..., 4] float in 0..255 at columns u, rows v of the picture that begins at `start`.

    Bilinear; transparent outside. `size` is (height, width).
    """
    height, width = size
    u0, v0 = u.floor(), v.floor()
    total = 0.0
    for dv in (0, 1):
        for du in (0, 1):
            col, row = u0 + du, v0 + dv
            inside = (col >= 0) & (col < width) & (row >= 0) & (row < height)
            weight = (1 - (u - col).abs()) * (1 - (v - row).abs()) * inside
            index = start + row.clamp(0, height - 1).long() * width + col.clamp(0, width - 1).long()
            total = total + weight[..., None] * unpack(table[index])
    return total


def unpack(packed: Tensor) -> Tensor:
    """Packed int32 [...] -> its four bytes as float32 [..., 4]."""
    return torch.stack([(packed >> shift) & 255 for shift in (0, 8, 16, 24)], -1).float()


def draw(atlas: Atlas, batch: dict[str, Tensor], size: int, cells: int) -> tuple[Tensor, Tensor]:
    """Arrays of a batch (see data.py) -> frames and what each cell shows.

    frames: [B, T, size, size, 3] uint8. cover: [B, T, cells**2, A + 1] float32, the parts of a
    cell that each actor and, last, the background fill.
    """
    device = atlas.large.device
    axis = torch.arange(size, device=device) + 0.5
    y, x = axis[:, None], axis[None, :]
    frames, covers = [], []
    for t in range(batch["box"].shape[2]):
        rgb = _background(atlas, batch, t, x, y, size)
        owner = torch.full(rgb.shape[:3], batch["box"].shape[1], device=device)
        for a in range(batch["box"].shape[1]):
            colour, alpha = _actor(atlas, batch, a, t, x, y)
            rgb = rgb * (1 - alpha) + colour
            owner = torch.where(alpha[..., 0] > 0.5, a, owner)
        light = batch["light"][:, None, None]
        frames.append((rgb * light[..., :3] + light[..., 3:]).clamp(0, 255))
        covers.append(_cover(owner, cells, batch["box"].shape[1] + 1))
    stacked = torch.stack(frames, 1)
    noise = (
        torch.randn_like(stacked[:, :, ::2, ::2]).repeat_interleave(2, 2).repeat_interleave(2, 3)
    )
    stacked = stacked + noise * batch["noise"][:, None, None, None, None]
    return stacked.round().clamp(0, 255).to(torch.uint8), torch.stack(covers, 1)


def _cover(owner: Tensor, cells: int, kinds: int) -> Tensor:
    side = owner.shape[-1] // cells
    blocks = owner.unflatten(1, (cells, side)).unflatten(3, (cells, side))
    parts = [(blocks == k).float().mean((2, 4)) for k in range(kinds)]
    return torch.stack(parts, -1).flatten(1, 2)


def _background(
    atlas: Atlas, batch: dict[str, Tensor], t: int, x: Tensor, y: Tensor, size: int
) -> Tensor:
    index, crop = batch["back"], batch["crop"][:, t, :, None, None]
    height, width = atlas.back_size
    start = index.clamp(min=0)[:, None, None] * (height * width)
    u = crop[:, 0] + x / size * crop[:, 2] - 0.5
    v = crop[:, 1] + y / size * crop[:, 3] - 0.5
    u, v = u.clamp(0, width - 1.001), v.clamp(0, height - 1.001)
    photo = sample(atlas.backs, start, atlas.back_size, *torch.broadcast_tensors(u, v))[..., :3]
    plain = batch["plain"][:, None, None, :].expand_as(photo)
    return torch.where((index >= 0)[:, None, None, None], photo, plain)


def _actor(
    atlas: Atlas, batch: dict[str, Tensor], a: int, t: int, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Premultiplied colour [B, S, S, 3] and alpha [B, S, S, 1] of one actor in one frame."""
    left, top, width, height = batch["box"][:, a, t, :, None, None].unbind(1)
    picture = batch["picture"][:, a, None, None]
    u, v = (x - left) / width.clamp(min=1), (y - top) / height.clamp(min=1)
    u, v = torch.broadcast_tensors(torch.where(batch["flip"][:, a, None, None], 1 - u, u), v)
    side = atlas.side
    start = picture.clamp(min=0)
    big = sample(atlas.large, start * side**2, (side, side), u * side - 0.5, v * side - 0.5)
    half = side // 2
    low = sample(atlas.small, start * half**2, (half, half), u * half - 0.5, v * half - 0.5)
    rgba = torch.where((width < 0.75 * side)[..., None], low, big) / 255
    inside = ((u >= 0) & (u < 1) & (v >= 0) & (v < 1) & (picture >= 0))[..., None]
    alpha = torch.where(inside, rgba[..., 3:], 0.0)
    colour = torch.where(inside, rgba[..., :3], 0.0) * 255
    cloth = batch["cloth"][:, a, None, None]
    rows, cols = atlas.back_size
    corner = batch["cloth_at"][:, a, :, None, None]
    where = (corner[:, 0] + u * 96).clamp(0, cols - 2), (corner[:, 1] + v * 96).clamp(0, rows - 2)
    texture = sample(atlas.backs, cloth.clamp(min=0) * rows * cols, (rows, cols), *where)[..., :3]
    colour = torch.where((cloth >= 0)[..., None], texture * alpha, colour)
    gain = batch["gain"][:, a, None, None]
    return (colour * gain[..., :3] + alpha * gain[..., 3:]).clamp(min=0), alpha
