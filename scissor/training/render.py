"""Scenes drawn on the GPU, hundreds of frames at once.

Knows how arrays of boxes, pictures and backgrounds become frames, in the look of scenes/render.py
but with bilinear sampling and changing light, and which cell shows what. Leaves what stands where
to data.py. A test holds it against the exact renderer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from scissor.scenes.render import SIDE


@dataclass(frozen=True, eq=False)
class Atlas:
    """All pictures at two sizes and all backgrounds, packed for random access on one device.

    pictures: int32, RGBA bytes premultiplied, little end first: P squares of `side`, then, from
    `halves` on, the same at half the side. backs: [B * height * width], likewise, opaque.
    """

    pictures: Tensor
    halves: int
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

        large, small = pack(rgba), pack(halves.permute(0, 2, 3, 1))
        both, size = torch.cat([large, small]), tuple(backs.shape[1:3])
        return cls(both, len(large), pictures.shape[1], pack(opaque), size)

    def to(self, device: str | torch.device) -> Atlas:
        """The same on another device."""
        pictures, backs = self.pictures.to(device), self.backs.to(device)
        return Atlas(pictures, self.halves, self.side, backs, self.back_size)


def sample(
    table: Tensor, start: Tensor, size: tuple[int | Tensor, int | Tensor], u: Tensor, v: Tensor
) -> Tensor:
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
            near = torch.where(inside, row * width + col, 0).long()
            total = total + weight[..., None] * unpack(table[start + near])
    return total


def unpack(packed: Tensor) -> Tensor:
    """Packed int32 [...] -> its four bytes as float32 [..., 4]."""
    return torch.stack([(packed >> shift) & 255 for shift in (0, 8, 16, 24)], -1).float()


GHOST = -2  # an actor that stands there and cannot be seen: only its evidence is told
PER_CLIP = (
    "picture", "flip", "gain", "mix", "turn", "cloth", "cloth_at", "plain", "light", "noise",
)  # fmt: skip


def paint(atlas: Atlas, each: dict[str, Tensor], size: int) -> tuple[Tensor, Tensor]:
    """Arrays by frame -> frames [F, size, size, 3] uint8 and, by pixel, the actor in front."""
    device = atlas.pictures.device
    axis = torch.arange(size, device=device) + 0.5
    y, x = axis[:, None], axis[None, :]
    rgb = _background(atlas, each, x, y, size)
    actors = each["box"].shape[1]
    owner = torch.full(rgb.shape[:3], actors, device=device, dtype=torch.uint8)
    for a in range(actors):
        colour, alpha, there = _actor(atlas, each, a, x, y)
        rgb = rgb * (1 - alpha) + colour
        owner = torch.where(there, a, owner).to(torch.uint8)
    light = each["light"][:, None, None]
    grain = torch.randn_like(rgb) * each["noise"][:, None, None, None]
    return (rgb * light[..., :3] + light[..., 3:] + grain).round().clamp(0, 255).to(
        torch.uint8
    ), owner


def draw(
    atlas: Atlas, batch: dict[str, Tensor], size: int, cells: int, paint: Callable = paint
) -> tuple[Tensor, Tensor]:
    """Arrays of a batch (see data.py) -> frames and what each cell shows.

    Boxes are in pixels of a frame of SIDE, whatever `size` is drawn.
    frames: [B, T, size, size, 3] uint8. cover: [B, T, cells**2, A + 1] float32, the parts of a
    cell that each actor and, last, the background fill. paint: the function above, or a quick one.
    """
    clips, actors, steps = batch["box"].shape[:3]
    each = {name: batch[name].repeat_interleave(steps, 0) for name in PER_CLIP}
    each["box"] = batch["box"].transpose(1, 2).flatten(0, 1) * (size / SIDE)
    each |= {name: batch[name].flatten(0, 1) for name in ("back", "crop")}
    frames, owner = paint(atlas, each, size)
    cover = _cover(owner, cells, actors + 1)
    return frames.unflatten(0, (clips, steps)), cover.unflatten(0, (clips, steps))


def _cover(owner: Tensor, cells: int, kinds: int) -> Tensor:
    side = owner.shape[-1] // cells
    blocks = owner.unflatten(1, (cells, side)).unflatten(3, (cells, side))
    parts = [(blocks == k).float().mean((2, 4)) for k in range(kinds)]
    return torch.stack(parts, -1).flatten(1, 2)


def _background(atlas: Atlas, each: dict[str, Tensor], x: Tensor, y: Tensor, size: int) -> Tensor:
    index, crop = each["back"], each["crop"][:, :, None, None]
    height, width = atlas.back_size
    start = index.clamp(min=0)[:, None, None] * (height * width)
    u = (crop[:, 0] + x / size * crop[:, 2] - 0.5).clamp(0, width - 1.001)
    v = (crop[:, 1] + y / size * crop[:, 3] - 0.5).clamp(0, height - 1.001)
    photo = sample(atlas.backs, start, atlas.back_size, *torch.broadcast_tensors(u, v))[..., :3]
    plain = each["plain"][:, None, None, :].expand_as(photo)
    return torch.where((index >= 0)[:, None, None, None], photo, plain)


def _actor(
    atlas: Atlas, each: dict[str, Tensor], a: int, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Premultiplied colour [F, S, S, 3], alpha [F, S, S, 1] and where it stands [F, S, S] bool."""
    left, top, width, height = each["box"][:, a, :, None, None].unbind(1)
    picture = each["picture"][:, a, None, None]
    u, v = (x - left) / width, (y - top) / height
    u, v = torch.broadcast_tensors(torch.where(each["flip"][:, a, None, None], 1 - u, u), v)
    unseen = (picture == GHOST) & ((u - 0.5) ** 2 + (v - 0.5) ** 2 < 0.25)
    u, v = _turned(u, v, width, height, each["turn"][:, a, :, None, None])
    small = width < 0.75 * atlas.side
    side = torch.where(small, atlas.side // 2, atlas.side)
    start = picture.clamp(min=0) * side**2 + small * atlas.halves
    rgba = sample(atlas.pictures, start, (side, side), u * side - 0.5, v * side - 0.5)
    inside = ((u >= 0) & (u < 1) & (v >= 0) & (v < 1) & (picture >= 0))[..., None]
    alpha = torch.where(inside, rgba[..., 3:] / 255, 0.0)
    colour = torch.where(inside, rgba[..., :3], 0.0)
    colour = (colour[..., None, :] * each["mix"][:, a, None, None]).sum(-1)
    cloth, corner = each["cloth"][:, a, None, None], each["cloth_at"][:, a, :, None, None]
    rows, cols = atlas.back_size
    where = (corner[:, 0] + u * 96).clamp(0, cols - 2), (corner[:, 1] + v * 96).clamp(0, rows - 2)
    texture = sample(atlas.backs, cloth.clamp(min=0) * rows * cols, (rows, cols), *where)[..., :3]
    colour = torch.where((cloth >= 0)[..., None], texture * alpha, colour)
    gain = each["gain"][:, a, None, None]
    colour = (colour * gain[..., :3] + alpha * gain[..., 3:]).clamp(min=0)
    return colour, alpha, (alpha[..., 0] > 0.5) | unseen


def _turned(
    u: Tensor, v: Tensor, width: Tensor, height: Tensor, turn: Tensor
) -> tuple[Tensor, Tensor]:
    """Where to read a picture turned by an angle and made narrower and lower, to stay in its box.

    turn: [F, 3, 1, 1], radians and the factors (at least 1) by which it shrinks.
    """
    angle, narrow, low = turn.unbind(1)
    dx, dy, sine = (u - 0.5) * width, (v - 0.5) * height, angle.sin()
    fit = 1 + 0.8 * sine.abs()
    across = (dx * angle.cos() - dy * sine) / width
    down = (dx * sine + dy * angle.cos()) / height
    return 0.5 + fit * narrow * across, 0.5 + fit * low * down
