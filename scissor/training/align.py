"""Stage A: every token learns to be nearest to the words of what its cell shows.

Knows how frames are seen in training and the alignment's loss. Leaves the tower's own learning to
naming.py, answering to run.py, pixels to render.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from scissor.training import evidence
from scissor.training.desk import Batch, Desk, Plan, steps, take_step
from scissor.training.render import draw

SHARPNESS = 25.0


def see(desk: Desk, batch: Batch) -> tuple[Tensor, Tensor]:
    """Draw a batch, run the frozen tower and the reader: tokens [B, T, N, D], cover (render.py)."""
    config = desk.model.config
    with torch.no_grad():
        frames, cover = draw(desk.atlas, batch, config.frame, config.grid[0], desk.paint)
        seen = desk.tower(frames.flatten(0, 1))
        if config.drawn:
            said = evidence.voted(seen, cover, batch["said"], config)
            seen = evidence.rename(seen, said, batch["doubt"], cover)
            seen = evidence.soften(seen, config.evidence, len(frames))
            seen = evidence.dimmed(seen, batch["natural"], config)
        seen = evidence.force_evidence(seen, batch["forced"], cover, batch["natural"], config)
    return desk.model.tokens(seen).unflatten(0, frames.shape[:2]), cover


def align_loss(desk: Desk, tokens: Tensor, cover: Tensor, batch: Batch) -> Tensor:
    """Every token nearest, by cosine, to the words of what covers its cell; as long as a word."""
    things = batch["name"][:, None].expand(-1, cover.shape[1], -1)
    names = torch.cat([things, batch["back_name"][..., None]], -1)
    best, who = cover.max(-1)
    label = names[:, :, None].expand(cover.shape).gather(-1, who[..., None])[..., 0]
    label = torch.where(best > 0.5, label, -1).flatten()
    rows = tokens.flatten(0, 2)[label >= 0].float()
    label = label[label >= 0]
    if not len(label):  # a small batch may show nothing that has a name
        return 0.0 * tokens.float().sum()
    words = desk.names(desk.model.table.detach()).float()
    logits = SHARPNESS * F.normalize(rows, dim=-1) @ F.normalize(words, dim=-1).T
    length = ((rows.norm(dim=-1) / words.norm(dim=-1).mean()).log() ** 2).mean()
    desk.last["cells"] = (logits.argmax(-1) == label).float().mean().detach()
    return F.cross_entropy(logits, label) + 0.1 * length


class StageA:
    """The reader alone, on single frames; the tower is frozen."""

    def __init__(self, desk: Desk, plan: Plan) -> None:
        self.desk, self.plan = desk, plan
        self.parameters = list(desk.model.reader.parameters())
        groups = [{"params": self.parameters, "peak": plan.rates[2]}]
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.02)

    def run(self, batches: Iterator[Batch]) -> None:
        """To the end of the plan's minutes."""
        desk = self.desk
        for _ in steps(desk, self.plan, "A", self.optimiser):
            batch = next(batches)
            with desk.quickly():
                loss = align_loss(desk, *see(desk, batch), batch)
            desk.last["aligned"] = loss.detach()
            take_step(desk, self.optimiser, self.parameters, loss)
