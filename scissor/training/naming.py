"""The first stage: the tower learns the drawn names from close-ups.

Knows what the classifier's further rows learn, from small frames of one drawing each, and how the
tower keeps what it says of natural pictures meanwhile. A small frame costs the tower a tenth of a
large one, and what is named by a linear layer carries over to other hands' drawings better than
what a deep reader learns of them. Leaves pixels to render.py, what is shown to shots.py.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from scissor.mini.quantise import round_weight, spec_of
from scissor.mini.tower import Tower
from scissor.training.album import Album
from scissor.training.desk import Batch, Desk, Plan, steps, take_step
from scissor.training.render import draw

SIDE = 256
"""Pixels of a close-up's side: things are as large as in the frame, and at half of it, where the
tower looks again, as in the glance."""

MATCH = 1.0  # weight of the tower's faithfulness to its former self
EMPTY = 0.2  # weight of cells that show no drawn thing
HELD = 0.4  # of a step's frames are shown to the former tower as well, natural ones first
SMOOTHING = 0.1
ERASED = 0.4  # drawings of which a block is hidden
FORMER = 0.3  # of the stored weights are the former tower's: it knows natural pictures better
SETTLED = 0.85  # of the minutes are over when they become that; then the classifier alone learns on
DROPPED = 0.2  # features that a name is read without, as in EfficientNet's own training


class Naming:
    """The tower and its classifier, on single small frames.

    former: the tower as it was, which the tuned one shall agree with where nothing was drawn.
    """

    def __init__(self, desk: Desk, plan: Plan, album: Album) -> None:
        tower = desk.model.tower
        self.desk, self.plan, self.former = desk, plan, desk.tower
        self.row = rows(album).to(desk.device)
        self.prior = prior(album).to(desk.device)
        tower.to(memory_format=torch.channels_last)
        last = list(tower.classifier.parameters())
        body = [p for p in tower.parameters() if all(p is not q for q in last)]
        self.parameters = [*body, *last]
        groups = [
            {"params": body, "peak": plan.rates[0]},
            {"params": last, "peak": plan.rates[1], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.02)

    def run(self, batches: Iterator[Batch]) -> None:
        """To the end of the plan's minutes; then the tower has the weights that will be stored."""
        desk, settled = self.desk, False
        for part in steps(desk, self.plan, "names", self.optimiser):
            if part > SETTLED and not settled:
                approach(desk.model.tower, self.former, FORMER)
                settled = True
                self.optimiser.param_groups[0].update(peak=0.0, lr=0.0)
            with desk.quickly():
                loss = self.loss(next(batches))
            take_step(desk, self.optimiser, self.parameters, loss)
        store(desk.model.tower, desk.model.config.bits)

    def loss(self, batch: Batch) -> Tensor:
        """Of a batch of close-ups: naming (at either size and by both), emptiness, faithfulness."""
        natural, shows = batch["natural"], batch["picture"][:, 0] >= 0
        label = self.row[torch.where(shows, batch["name"][:, 0], batch["back_name"])]
        frames, thing = self.drawn(batch)
        frames, thing, partner, part = mixed(erased(frames, natural), thing, natural)
        looks = [self.look(frames, thing, natural), self.look(*halved(frames, thing), natural)]
        alone, empty, kept = zip(*looks, strict=True)
        said = [logits + self.prior for logits in (*alone, sum(alone))]
        named = [
            part * cross(logits, label) + (1 - part) * cross(logits, label[partner])
            for logits in said
        ]
        right, kept = said[-1].argmax(-1) == label, torch.stack(kept).mean()
        self.desk.last |= {"right": right[shows].float().mean(), "kept": kept.detach()}
        return torch.stack(named).mean() + EMPTY * torch.stack(empty).mean() + MATCH * kept

    def look(self, frames: Tensor, thing: Tensor, natural: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [B, names + 1] of what the frames show; the losses of emptiness and faithfulness.

        thing: [B, N], the part of a cell that is to be named. natural: [B] bool.
        """
        tower, classes = self.desk.model.tower, self.desk.model.config.classes
        seen = tower.deep(tower.maps(frames)[-1]).flatten(1, 2)
        cells = tower.classifier(seen).float()
        shown = pooled(seen, thing >= thing.amax(1, keepdim=True) / 2)
        said = self.said(F.dropout(shown, DROPPED))
        bare = thing == 0
        none = torch.full((bare.numel(),), -1, device=frames.device)
        missed = cross(cells[..., classes:].flatten(0, 1), none).view_as(bare)
        some = natural.float().topk(math.ceil(HELD * len(natural))).indices
        where = (bare | natural[:, None])[some]
        return said, average(missed, bare), self.faithfulness(frames[some], cells[some], where)

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

    def said(self, pooled: Tensor) -> Tensor:
        """Logits [B, names + 1] float32 of the drawn names and, last, of none of them."""
        model = self.desk.model
        return model.tower.classifier(pooled)[..., model.config.classes :].float()

    def faithfulness(self, frames: Tensor, cells: Tensor, where: Tensor) -> Tensor:
        """Mean divergence of ImageNet's classes from what the former tower says, over the cells
        `where` [B, N]: those of natural pictures and those beside a drawing.

        cells: [B, N, rows], the tuned tower's logits.

        It is called with as many frames in every step: a GPU plans its convolutions anew for every
        number of them.
        """
        with torch.no_grad():
            once = self.former.deep(self.former.maps(frames)[-1]).flatten(1, 2)
            once = self.former.classifier(once)
        classes = self.desk.model.config.classes
        now, before = (x[..., :classes].float().log_softmax(-1) for x in (cells, once))
        apart = F.kl_div(now, before, log_target=True, reduction="none").sum(-1)
        return average(apart, where)


def average(values: Tensor, where: Tensor) -> Tensor:
    """The mean of the values `where` is true; 0 if nowhere."""
    return (values * where).sum() / where.sum().clamp(min=1)


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
    """[names + 1]: the log of how many pictures a drawn name has, a picture's mean taken away.

    Added to the logits in training, so that without it every name is as likely, be its pictures
    many or few (logit adjustment, arXiv 2007.07314). 0 for none of them.
    """
    many = Counter(album.library.pictures[i].name for i in album.taught)
    logs = torch.tensor([many[name] for name in album.drawn]).float().log()
    mean = (logs.exp() * logs).sum() / logs.exp().sum()
    return torch.cat([logs - mean, torch.zeros(1)])


def pooled(seen: Tensor, where: Tensor) -> Tensor:
    """Cells' features [B, N, F] -> [B, F]: their mean over the cells `where` [B, N] bool."""
    weight = where.to(seen.dtype)
    weight = weight / weight.sum(1, keepdim=True).clamp(min=1)
    return (weight[:, None] @ seen)[:, 0]


@torch.no_grad()
def approach(tower: Tower, former: Tower, part: float) -> None:
    """Make `part` of the tower's weights the former one's (arXiv 2109.01903).

    Not of the drawn names' rows: the former tower may not know them.
    """
    known = tower.config.classes
    for (name, weight), before in zip(tower.named_parameters(), former.parameters(), strict=True):
        same = weight[:known] if name.startswith("classifier") else weight
        same.lerp_(before[: len(same)].to(weight), part)


@torch.no_grad()
def store(tower: Tower, bits: dict) -> None:
    """Give the tower the weights that it will have once it was saved and loaded."""
    for name, weight in tower.named_parameters():
        if spec := spec_of(f"tower.{name}", weight.shape, bits):
            weight.copy_(round_weight(weight, spec))
