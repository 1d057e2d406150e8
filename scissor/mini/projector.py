"""From what the tower sees to the tokens the decoder reads.

Knows the reader (attention within a frame, then a projection to the decoder's width), the second
way in for the tower's evidence as words, and the place embedding that enters after compression.
Leaves which tokens are kept, and the prompt around them, to others.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scissor.mini.config import Config
from scissor.mini.tower import Seen


class Block(nn.Module):
    """Pre-norm self-attention and MLP over the cells of one frame."""

    def __init__(self, width: int, heads: int, ratio: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, ratio * width), nn.Linear(ratio * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, C] -> [B, N, C]."""
        query, key, value = self._heads(x)
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norm2(x))))

    def received(self, x: Tensor) -> Tensor:
        """[B, N, C] -> [B, N]: attention each cell receives, mean over heads and queries."""
        query, key, _ = self._heads(x)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        return scores.float().softmax(-1).mean((1, 2))

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        qkv = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        return query, key, value


class Reader(nn.Module):
    """Seen cells -> visual tokens.

    Two ways in: the features through attention and a two-layer MLP, and, times a learned `scale`,
    the probability-weighted mean of the embedded names of each cell's likeliest ImageNet classes;
    where the model has drawn names, theirs likewise, times `drawn_scale`. With `config.gather` a
    cell hears, times `gather_scale`, what the cells that it attends to say in this second way: of
    something new they say several names, and mostly the right one.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, cells = config.reader_width, math.prod(config.grid)
        self.norm = nn.LayerNorm(config.features)
        self.enter = nn.Linear(config.features, width)
        self.position = nn.Parameter(torch.zeros(cells, width))
        self.blocks = nn.ModuleList(
            Block(width, config.reader_heads, config.reader_ratio)
            for _ in range(config.reader_layers)
        )
        self.leave = nn.LayerNorm(width)
        self.up = nn.Linear(width, config.projector_width)
        self.down = nn.Linear(config.projector_width, config.width)
        self.evidence = config.evidence
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.drawn_scale = nn.Parameter(torch.tensor(0.5)) if config.drawn else None
        self.gather = nn.Linear(width, 2 * config.gather) if config.gather else None
        self.gather_scale = nn.Parameter(torch.tensor(0.5)) if config.gather else None
        if not self.position.is_meta:
            self._begin()

    @torch.no_grad()
    def _begin(self) -> None:
        """Fresh weights; queries are keys at first, so that like cells hear each other."""
        nn.init.normal_(self.position, std=0.02)
        if self.gather:
            for weight in (self.gather.weight, self.gather.bias):
                query, key = weight.chunk(2)
                key.copy_(query)

    def forward(self, seen: Seen, names: Tensor) -> Tensor:
        """Seen and the embedded names of all classes [names, D] -> visual tokens [B, N, D]."""
        x = self._enter(seen)
        for block in self.blocks:
            x = block(x)
        return self._leave(x, seen, names)

    def with_attention(self, seen: Seen, names: Tensor) -> tuple[Tensor, Tensor]:
        """As forward, and [B, N]: the attention each cell receives in the last block."""
        x = self._enter(seen)
        for block in self.blocks[:-1]:
            x = block(x)
        last = self.blocks[-1]
        return self._leave(last(x), seen, names), last.received(x)

    def _enter(self, seen: Seen) -> Tensor:
        return self.enter(self.norm(seen.features)) + self.position

    def _leave(self, x: Tensor, seen: Seen, names: Tensor) -> Tensor:
        x = self.leave(x)
        token, said = self.down(F.gelu(self.up(x))), self._said(seen, names).to(x.dtype)
        if self.gather is None:
            return token + said
        query, key = self.gather(x).chunk(2, -1)
        heard = (query @ key.transpose(-1, -2) / math.sqrt(key.shape[-1])).softmax(-1)
        return token + said + self.gather_scale * (heard @ said)

    def _said(self, seen: Seen, names: Tensor) -> Tensor:
        """The evidence as words, [B, N, D]."""
        words = seen.probabilities[..., None] * names[seen.classes]
        said = self.scale * words[..., : self.evidence, :].sum(-2)
        if self.drawn_scale is None:
            return said
        return said + self.drawn_scale * words[..., self.evidence :, :].sum(-2)


class PlaceEmbedding(nn.Module):
    """Where and when a kept token stands, added to it before the decoder.

    It enters after compression, for every compressor alike: a merged token has the mean place of
    what it stands for. Coordinates: the frame as a part of the clip, row and column as parts of the
    picture, and the frame's own number; each as sines and cosines, then one linear layer.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.linear = nn.Linear(4 * 2 * config.place_frequencies, config.width)
        if not self.linear.weight.is_meta:
            nn.init.normal_(self.linear.weight, std=2e-3)
            nn.init.zeros_(self.linear.bias)

    def forward(self, place: Tensor, frames: int | Tensor) -> Tensor:
        """Places [..., 3] (mean frame, row, column) in a clip of `frames` frames -> [..., D].

        `frames` is a number, or a tensor that broadcasts to [...] (for batches of mixed lengths).
        """
        return self.linear(self.waves(place, frames).to(self.linear.weight.dtype))

    def waves(self, place: Tensor, frames: int | Tensor) -> Tensor:
        """Places [..., 3] -> [..., 8 * place_frequencies] float32, sines and cosines."""
        (rows, cols), longest = self.config.grid, self.config.max_frames
        when, row, col = place.float().unbind(-1)
        span = torch.as_tensor(frames, device=place.device).sub(1).clamp(min=1)
        parts = [when / span, row / max(rows - 1, 1), col / max(cols - 1, 1), when / longest]
        finest = torch.tensor([longest, rows, cols, longest], device=place.device).float()
        steps = torch.linspace(0, 1, self.config.place_frequencies, device=place.device)
        turns = math.pi * finest[:, None] ** steps
        angles = torch.stack(parts, -1)[..., None] * turns
        return torch.cat([angles.sin(), angles.cos()], -1).flatten(-2)
