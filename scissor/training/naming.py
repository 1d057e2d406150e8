"""The first stage: the tower's branch learns the drawn names from close-ups.

Knows what it learns from small frames of one drawing each. A small frame costs the tower a tenth of
a large one, and what is named by a linear layer carries over to other hands' drawings better than
what a deep reader learns of them. Leaves pixels to render.py, what is shown to shots.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from scissor.mini.quantise import round_weight, spec_of
from scissor.mini.tower import Tower, deep
from scissor.training.album import Album
from scissor.training.desk import Batch, Desk, Plan, steps, take_step
from scissor.training.render import draw
from scissor.training.shots import BY_NAME

SIDE = 256
"""Pixels of a close-up's side: things are as large as in the frame, and at half of it, where the
tower looks again, as in the glance."""

EMPTY = 0.2  # weight of cells that show no drawn thing
SMOOTHING = 0.1
RESTYLED = 0.3  # drawings that are changed in each of three ways
ERASED = 0.4  # drawings of which a block is hidden
DROPPED = 0.2  # features that a name is read without, as in EfficientNet's own training


class Naming:
    """The tower's branch, on single small frames; the rest of the tower stays as it is."""

    def __init__(self, desk: Desk, plan: Plan, album: Album) -> None:
        branch = desk.model.tower.branch
        self.desk, self.plan, self.branch = desk, plan, branch
        self.row = rows(album).to(desk.device)
        self.prior = prior(album).to(desk.device)
        desk.model.tower.to(memory_format=torch.channels_last)
        last = list(branch.classifier.parameters())
        body = [*branch.stages.parameters(), *branch.head.parameters()]
        self.parameters = [*body, *last]
        groups = [
            {"params": body, "peak": plan.rates[0]},
            {"params": last, "peak": plan.rates[1], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.02)

    def run(self, batches: Iterator[Batch]) -> None:
        """To the end of the plan's minutes; then the tower has the weights that will be stored."""
        desk = self.desk
        for _ in steps(desk, self.plan, "names", self.optimiser):
            with desk.quickly():
                loss = self.loss(next(batches))
            take_step(desk, self.optimiser, self.parameters, loss)
        store(desk.model.tower, desk.model.config.bits)

    def loss(self, batch: Batch) -> Tensor:
        """Of a batch of close-ups: naming (at either size and by both) and emptiness."""
        natural, shows = batch["natural"], batch["picture"][:, 0] >= 0
        label = self.row[torch.where(shows, batch["name"][:, 0], batch["back_name"][:, 0])]
        frames, thing = self.drawn(batch)
        frames = erased(restyled(frames, natural), natural)
        frames, thing, partner, part = mixed(frames, thing, natural)
        looks = [self.look(frames, thing), self.look(*halved(frames, thing))]
        alone, empty = zip(*looks, strict=True)
        said = [logits + self.prior for logits in (*alone, sum(alone))]
        named = [
            part * cross(logits, label) + (1 - part) * cross(logits, label[partner])
            for logits in said
        ]
        right = said[-1].argmax(-1) == label
        self.desk.last["right"] = right[shows].float().mean()
        return torch.stack(named).mean() + EMPTY * torch.stack(empty).mean()

    def look(self, frames: Tensor, thing: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [B, names + 1] of what the frames show; the loss of the cells that show nothing.

        thing: [B, N], the part of a cell that is to be named.
        """
        model = self.desk.model
        with torch.no_grad():
            early = model.tower.maps(frames, model.config.branch)[-1]
        seen = deep(self.branch, self.branch.maps(early)[-1]).flatten(1, 2)
        shown = pooled(seen, thing >= thing.amax(1, keepdim=True) / 2)
        said = self.branch.classifier(F.dropout(shown, DROPPED)).float()
        bare, cells = thing == 0, self.branch.classifier(seen).float().flatten(0, 1)
        missed = cross(cells, torch.full((len(cells),), -1, device=cells.device)).view_as(bare)
        return said, (missed * bare).sum() / bare.sum().clamp(min=1)

    @torch.no_grad()
    def drawn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Frames [B, SIDE, SIDE, 3], and [B, N]: the part of a cell that the drawing fills.

        Where there is no drawing it is the whole picture that shows what it shows.
        """
        cells = SIDE // (self.desk.model.config.frame // self.desk.model.config.grid[0])
        one = batch | {"box": batch["box"][:, :1]}
        frames, cover = draw(self.desk.atlas, one, SIDE, cells, self.desk.paint)
        thing = cover[:, 0, :, 0]
        return frames[:, 0], torch.where(batch["natural"][:, None], 1.0, thing)


def halved(frames: Tensor, thing: Tensor) -> tuple[Tensor, Tensor]:
    """Frames [B, S, S, 3] and cells [B, N] at half the side, by area."""
    small = F.avg_pool2d(frames.float().permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    side = math.isqrt(thing.shape[1])
    cells = F.avg_pool2d(thing.float().unflatten(1, (1, side, side)), 2)
    return small, cells.flatten(1)


def cross(logits: Tensor, label: Tensor) -> Tensor:
    """[B]: cross-entropy over the drawn names; label -1: none of them, the last one."""
    label = label % logits.shape[-1]
    return F.cross_entropy(logits, label, label_smoothing=SMOOTHING, reduction="none")


def restyled(frames: Tensor, natural: Tensor) -> Tensor:
    """Frames [B, S, S, 3] as other hands might draw them, by lot: in few shades, with dark lines
    where colours meet, and through a random filter. Natural pictures stay.
    """
    x = frames.float().permute(0, 3, 1, 2) / 255
    for change in (flattened, outlined, filtered):
        at = (~natural & (torch.rand(len(x), device=x.device) < RESTYLED)).nonzero()[:, 0]
        x = x.index_copy(0, at, change(x[at])) if len(at) else x
    return 255 * x.clamp(0, 1).permute(0, 2, 3, 1)


def flattened(x: Tensor) -> Tensor:
    """[B, 3, S, S] in 0..1: every channel in three to eight shades."""
    draw = torch.rand(2, len(x), 3, 1, 1, device=x.device)
    steps, phase = 2 + 5 * draw[0], draw[1]
    return ((x * steps + phase).round() - phase) / steps


def outlined(x: Tensor) -> Tensor:
    """[B, 3, S, S] in 0..1: darker where colours meet, in some pictures much, in some little."""
    strength = 2 + 6 * torch.rand(len(x), 1, 1, 1, device=x.device)
    differ = F.max_pool2d(x, 3, 1, 1) + F.max_pool2d(-x, 3, 1, 1)
    ink = strength * (differ.amax(1, keepdim=True) - 0.1)
    return x * (1 - ink.clamp(0, 1))


def filtered(x: Tensor) -> Tensor:
    """[B, 3, S, S] in 0..1: blended with what a random filter of 3 x 3 pixels and all colours makes
    of it (random convolutions, arXiv 2007.13003).
    """
    kernel = torch.randn(3, 3, len(x), 3, 3, device=x.device) * 27**-0.5
    side, wide = x.shape[-1], F.pad(2 * x - 1, (1, 1, 1, 1), mode="replicate")
    other = sum(
        torch.einsum("bchw,bdc->bdhw", wide[..., i : i + side, j : j + side], kernel[i, j])
        for i in range(3)
        for j in range(3)
    )
    part = torch.rand(len(x), 1, 1, 1, device=x.device)
    return x + part * ((other + 1) / 2 - x)


def erased(frames: Tensor, natural: Tensor) -> Tensor:
    """Two fifths of the drawings lose a block of pixels to a plain colour, as behind a post."""
    count, side = frames.shape[:2]
    draw = torch.rand(count, 7, device=frames.device)
    axis = (torch.arange(side, device=frames.device) + 0.5) / side
    half = 0.05 + 0.13 * draw[:, 1:3]
    near = (axis - (0.2 + 0.6 * draw[:, 3:5, None])).abs() < half[..., None]  # [B, 2, side]
    block = near[:, 0, :, None] & near[:, 1, None, :]
    block &= ((draw[:, 0] < ERASED) & ~natural)[:, None, None]
    colour = 255 * draw[:, None, None, [5, 6, 0]]
    return torch.where(block[..., None], colour, frames.float())


def mixed(frames: Tensor, thing: Tensor, natural: Tensor) -> tuple[Tensor, Tensor, Tensor, float]:
    """In half the steps every drawing is blended with another (mixup, arXiv 1710.09412).

    Returns frames, cells, the other's index [B] and the first one's part. Natural pictures stay.
    """
    alone = torch.arange(len(frames), device=frames.device)
    if torch.rand(()) < 0.5:
        return frames, thing, alone, 1.0
    part = float(torch.distributions.Beta(0.3, 0.3).sample())
    part = max(part, 1 - part)
    other = torch.randperm(len(frames), device=frames.device)
    other = torch.where(natural | natural[other], alone, other)
    both = part * frames + (1 - part) * frames[other]
    return both, torch.maximum(thing, thing[other]), other, part


def rows(album: Album) -> Tensor:
    """[names + 1] int64: by index into album.names the row of a drawn name, else (and last) -1."""
    row = torch.full((len(album.names) + 1,), -1)
    for name, place in album.row.items():
        row[album.where[name]] = place - len(album.classes)
    return row


def prior(album: Album) -> Tensor:
    """[names + 1]: the log of how often a drawn name is shown, the mean over close-ups taken away.

    Added to the logits in training, so that without it every name is as likely, be its pictures
    many or few (logit adjustment, arXiv 2007.07314). 0 for none of them.
    """
    many = torch.tensor([float(len(album.taught_by[name])) for name in album.drawn])
    share = (1 - BY_NAME) * many / many.sum() + BY_NAME / len(many)
    logs = share.log()
    return torch.cat([logs - (share * logs).sum(), torch.zeros(1)])


def pooled(seen: Tensor, where: Tensor) -> Tensor:
    """Cells' features [B, N, F] -> [B, F]: their mean over the cells `where` [B, N] bool."""
    weight = where.to(seen.dtype)
    weight = weight / weight.sum(1, keepdim=True).clamp(min=1)
    return (weight[:, None] @ seen)[:, 0]


@torch.no_grad()
def store(tower: Tower, bits: dict) -> None:
    """Give the tower the weights that it will have once it was saved and loaded."""
    for name, weight in tower.named_parameters():
        if spec := spec_of(f"tower.{name}", weight.shape, bits):
            weight.copy_(round_weight(weight, spec))
