"""What the tower's evidence is made to say in training.

Knows how a thing comes to be called by another name than the tower's own, so that the decoder reads
names in the evidence and does not learn training drawings by heart; how a thing whose cells say
several names gets the one that most of them say; and how evidence is made as doubtful as that of
new drawings. Leaves which names to shots.py.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from scissor.mini.config import Config
from scissor.mini.tower import Seen
from scissor.types import cell_places

EVEN = 12**0.5  # spreads from end to end of what lies evenly
FAINT = 0.06  # the least part of a probability that is left where little is seen
DARK = 0.1  # of that part, what is left in cells where nothing is seen
HOT = 0.4  # the least power of the drawn names' probabilities, by clip: lower is less sure


def force_evidence(
    seen: Seen, forced: Tensor, cover: Tensor, natural: Tensor, config: Config
) -> Seen:
    """Put a drawn row of the classifier on top of the evidence where an actor wears a made-up
    texture, or where a natural picture is to show it: so the decoder learns to read any name.

    An ImageNet class is told surely, and in half of the natural ones some drawn name is on top as
    well: a branch that was made for drawings says such things of photographs. A drawn name, which
    is somebody's, is told faintly, beside all that the tower sees there. forced: [B, A] row or -1.
    natural: [B] bool.
    """
    batch, steps, cells, _ = cover.shape
    best, actor = cover[..., :-1].max(-1)
    told = forced[:, None, None].expand(-1, steps, cells, -1).gather(-1, actor[..., None])
    told = torch.where(best[..., None] > 0.3, told, -1).flatten(0, 1)
    there, whole = (told >= 0) & (told < config.classes), seen.probabilities
    seen = seen._replace(probabilities=torch.where(there, 0.3 * whole, whole))
    seen = _put(seen, 0, there, told)
    if config.drawn:
        misled = natural & (torch.rand(batch, device=told.device) < 0.5)
        wrong = config.classes + torch.randint(config.drawn, (batch,), device=told.device)
        misled, wrong = (x.repeat_interleave(steps)[:, None, None] for x in (misled, wrong))
        seen = _put(seen, config.evidence, there & misled, wrong)
        lit, power = glimpse(batch, steps, cells, told.device)
        passing = (told >= config.classes) & lit.flatten(0, 1)[..., None]
        seen = _put(seen, config.evidence, passing, told, power.repeat_interleave(steps, 0))
    return seen


def glimpse(clips: int, steps: int, cells: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """How little is seen of what no training showed: in which cells [B, T, N] and how surely
    [B, 1, 1], in one clip less than in the next.
    """
    there = torch.ones(clips, steps, cells, device=device)
    share, power = torch.rand(2, clips, 1, 1, device=device)
    return here_and_there(there, 0.1 + 0.9 * share), FAINT**power


def dimmed(seen: Seen, natural: Tensor, config: Config) -> Seen:
    """Drawn names told as of new photographs in half of the natural clips: in fewer cells, and less
    surely. What the branch was taught of photographs, it knows by heart. natural: [B] bool.
    """
    clips = len(natural)
    frames, cells, _ = seen.probabilities.shape
    lit, power = glimpse(clips, frames // clips, cells, natural.device)
    faint = natural & (torch.rand(clips, device=natural.device) < 0.5)
    left = torch.where(faint[:, None, None], power * torch.where(lit, 1.0, DARK), 1.0)
    whole = seen.probabilities
    named = whole[..., config.evidence :] * left.flatten(0, 1)[..., None].to(whole.dtype)
    return seen._replace(probabilities=torch.cat([whole[..., : config.evidence], named], -1))


def _put(seen: Seen, rank: int, there: Tensor, name: Tensor, power: Tensor | float = 1.0) -> Seen:
    """The evidence with a name at a rank in the cells `there` [F, N, 1], as sure as the frame is
    and, in some cells, less; `power` times as sure, which may be [F, 1, 1].
    """
    frame = power * (torch.rand(len(there), 1, 1, device=there.device) * 0.7 + 0.25)
    sure = frame * torch.rand(there.shape, device=there.device).clamp(min=0.4)
    classes, probabilities = seen.classes.clone(), seen.probabilities.clone()
    classes[..., rank, None] = torch.where(there, name, classes[..., rank, None])
    old = probabilities[..., rank, None]
    probabilities[..., rank, None] = torch.where(there, sure.to(old.dtype), old)
    return seen._replace(classes=classes, probabilities=probabilities)


def voted(seen: Seen, cover: Tensor, said: Tensor, config: Config) -> Tensor:
    """`said` (as rename's), what is drawn being what the tower says most of it in a clip.

    cover: [B, T, N, A + 1]. Of a new drawing the tower's cells say several names, mostly the right
    one or another: so the decoder learns that one thing has one name, that of the most. Where two
    things of a clip would be called the same, and where nothing is seen of one, `said` stays.
    """
    clips, actors, _ = said.shape
    names = seen.classes[..., config.evidence :].reshape(clips, -1) - config.classes
    sure = seen.probabilities[..., config.evidence :].float()
    votes = sure.new_zeros(clips, actors, config.drawn)
    for a in range(actors):
        there = cover[..., a].flatten(0, 1)[..., None] > 0.5
        votes[:, a].scatter_add_(1, names, (there * sure).reshape(clips, -1))
    most, best = votes.max(-1)
    best = torch.where(most > 0, best + config.classes, -1)
    rivals = torch.cat([best, said[..., 0], said[..., 1]], 1)  # [B, 3 A]
    same = best[..., None] == rivals[:, None]
    own = torch.eye(actors, dtype=torch.bool, device=same.device).repeat(1, 3)
    fine = (said[..., 0] >= 0) & (best >= 0) & ~(same & ~own).any(-1)
    return torch.cat([torch.where(fine, best, said[..., 0])[..., None], said[..., 1:]], -1)


def rename(seen: Seen, said: Tensor, doubt: Tensor, cover: Tensor) -> Seen:
    """Exchange drawn names in a clip's evidence: what a drawing shows for what it is called.

    said: [B, A, 3] rows of the classifier, or -1: of what is drawn, of what it is called, and of
    what it is taken for in some cells. doubt: [B, A], how often that is, from 0 to 1: in half of
    the things here and there, in the others on one side. cover: [B, T, N, A + 1].
    """
    batch, actors, _ = said.shape
    classes = seen.classes.unflatten(0, cover.shape[:2])
    for a in range(actors):
        drawn, called, taken = said[:, a, :, None, None, None].unbind(1)
        there, wrong = cover[..., a], doubt[:, a, None, None]
        part = torch.rand(batch, 1, 1, device=said.device) < 0.5
        lost = torch.where(part, on_one_side(there, wrong), here_and_there(there, wrong))
        classes = exchange(classes, drawn, called)
        classes = torch.where(lost[..., None], exchange(classes, called, taken), classes)
    return seen._replace(classes=classes.flatten(0, 1))


def here_and_there(there: Tensor, doubt: Tensor) -> Tensor:
    """[B, T, N] bool: cells by lot, those of a frame together as often as each by itself."""
    batch, steps, cells = there.shape
    frame = torch.rand(batch, steps, 1, device=there.device)
    cell = torch.rand(batch, steps, cells, device=there.device)
    return (frame + cell) / 2 < doubt


def on_one_side(there: Tensor, doubt: Tensor) -> Tensor:
    """[B, T, N] bool: of a thing about the part `doubt` [B, 1, 1] that lies in one direction, the
    same in all frames, as a handle may look like a knife. there: [B, T, N], its part of a cell.
    """
    batch, _, cells = there.shape
    side = math.isqrt(cells)
    _, row, column = cell_places(1, (side, side), there.device).unbind(1)
    angle = 2 * math.pi * torch.rand(batch, 1, 1, device=there.device)
    along = angle.cos() * column + angle.sin() * row
    weight = there / there.sum(-1, keepdim=True).clamp(min=1e-6)
    off = along - (weight * along).sum(-1, keepdim=True)
    spread = (weight * off**2).sum(-1, keepdim=True).sqrt().clamp(min=1e-3)
    return 0.5 + off / (EVEN * spread) < doubt


def exchange(classes: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """The classes with `one` for `other` and the other way round; they broadcast."""
    return torch.where(classes == one, other, torch.where(classes == other, one, classes))


def soften(seen: Seen, evidence: int, clips: int) -> Seen:
    """The drawn names' probabilities less far apart, more so in one clip than in the next.

    A drawing that the tower has learned is named more surely than a new one. What a cell's names
    have together stays. evidence: how many of the classes are ImageNet's.
    """
    power = HOT + (1 - HOT) * torch.rand(clips, 1, 1, 1, device=seen.features.device)
    whole = seen.probabilities
    named = whole[..., evidence:].float().unflatten(0, (clips, -1))
    flat = named**power
    flat = flat * (named.sum(-1, keepdim=True) / flat.sum(-1, keepdim=True).clamp(min=1e-6))
    named = flat.flatten(0, 1).to(whole.dtype)
    return seen._replace(probabilities=torch.cat([whole[..., :evidence], named], -1))
