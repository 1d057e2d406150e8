"""Semantic Connected Components of a clip that has not ended: frames come one at a time.

Knows how to keep the groups of `compress(tau=...)` up to date under a bound on memory, for live
video and clips of hours. Leaves the steps to steps.py and where frames come from to its caller.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from scissor.cosine import above, cut, full_precision, refuse, tally, unit
from scissor.graph import edges_above, ends, hub_order
from scissor.merge import share_places
from scissor.steps import Plan, normalise, spatial_step
from scissor.tiles import nearest
from scissor.types import Compression
from scissor.union import joins, sizes, unite


@dataclass(frozen=True, eq=False)
class _Held:
    """The step-1 tokens held, m of them, by the frame and index of their hubs.

    tokens, units: [m, D]. members: [m] float32, how many step-1 tokens each stands for. labels: [m]
    the smallest member of its group. degree: [m], edges seen so far. hub: [m, 2], frame and token.
    """

    tokens: Tensor
    units: Tensor
    members: Tensor
    labels: Tensor
    degree: Tensor
    hub: Tensor


class StreamCompressor:
    """The two steps at one threshold, frame by frame, in bounded memory.

    Holds at most `cap` step-1 tokens and, for the merge, the input tokens of the last `frames`
    frames. A push does step 1 on the new frame and compares its tokens with all held: until `folds`
    leaves 0, groups and hubs are those of `compress(tau=tau)` on all frames so far, and as long as
    no frame has left, so are the tokens.

    Beyond the cap tokens fold. First members of one group, the oldest, into the one among them that
    has the largest degree; then the oldest groups, each into the nearest token that stays. A folded
    token is the mean of what it stands for, so a group's token stays the mean of its step-1 tokens;
    approximate is what comes after: new tokens are compared with that mean, not with each member,
    which can miss an edge or find one, and the second kind of fold unites groups that tau keeps
    apart. `folds` counts the tokens that went.

    Raises ValueError for a tau outside [-1, 1] and a cap or a number of frames below 1.
    """

    def __init__(
        self, tau: float, cap: int = 4096, frames: int = 64, grid: tuple[int, int] | None = None
    ):
        if min(cap, frames) < 1:
            raise ValueError("cap and frames must be at least 1")
        self.tau, self.cap, self.frames, self.grid = tau, cap, frames, grid
        self.folds = 0
        self.pushed = 0
        self._bound = cut(tau)
        self._held: _Held | None = None
        self._inputs: deque[Tensor] = deque(maxlen=frames)  # [N, D] a frame
        self._spatial: deque[Tensor] = deque(maxlen=frames)  # [N], indices into what is held

    @property
    def inputs(self) -> Tensor:
        """[T, N, D]: the input tokens of the frames still held, oldest first."""
        return torch.stack(tuple(self._inputs)) if self._inputs else torch.zeros(0, 0, 0)

    @torch.no_grad()
    def push(self, frame: Tensor) -> None:
        """Take in the tokens [N, D] of the next frame.

        Raises ValueError if they are shaped unlike the frames before, or not finite: the message
        names the token, and the frame as counted from the first that was pushed.
        """
        if frame.ndim != 2 or (self._inputs and frame.shape != self._inputs[0].shape):
            raise ValueError(f"a frame of {list(frame.shape)} does not fit the stream")
        frame = frame.detach().float()
        refuse(frame[None], self.pushed)
        clip = normalise(frame[None], self.grid)
        self.grid = clip.grid
        with full_precision(frame.device):
            one = spatial_step(clip, Plan(), self.tau)
            start = self._add(one.tokens, one.hub)
            self._inputs.append(clip.tokens[0])
            self._spatial.append(one.component + start)
            self.pushed += 1
            over = len(self._held.tokens) - self.cap
            if over > 0:
                self._fold(_into_group(self._held, over))
            over = len(self._held.tokens) - self.cap
            if over > 0:
                self._fold(_into_nearest(self._held, over))

    @torch.no_grad()
    def read(self, merge: bool = True) -> Compression:
        """The kept tokens now, over the frames held; frame 0 is the oldest of them.

        A group older than all of these has its hub in frame 0 too. counts: input tokens and step-1
        tokens held, kept tokens. merge=False is quicker: a share is then its group.
        """
        held, inputs = self._held, self.inputs
        frames, n = inputs.shape[:2]
        if held is None or not n:
            return _empty(self.grid or (0, 0), self.tau)
        component, hub = hub_order(held.labels, held.degree)
        size = torch.zeros(len(hub), device=hub.device).index_add_(0, component, held.members)
        kept = torch.zeros(len(hub), held.tokens.shape[1], device=hub.device)
        kept.index_add_(0, component, held.tokens * held.members[:, None])
        kept = kept / size[:, None]
        spatial = torch.stack(tuple(self._spatial))
        group = share = component[spatial]
        if merge:
            inputs = inputs.flatten(0, 1)
            with full_precision(inputs.device):
                share = nearest(unit(inputs), unit(kept)).view(frames, n)
            total = 1 + sizes(share.flatten(), len(hub))
            kept = kept.index_add(0, share.flatten(), inputs) / total[:, None]
        place = held.hub[hub] - torch.tensor([self.pushed - frames, 0], device=hub.device)
        return _compression(self, kept, spatial, group, share, place.clamp_min(0))

    def _add(self, tokens: Tensor, hub: Tensor) -> int:
        """Hold new step-1 tokens, united with the old by the edges of step 2; where they start."""
        new = _alone(tokens, torch.stack([torch.full_like(hub, self.pushed), hub], 1))
        old = self._held or replace(new, **{k: v[:0] for k, v in vars(new).items()})
        m = len(old.labels)
        both = {k: torch.cat([v, getattr(new, k)]) for k, v in vars(old).items()}
        index = torch.arange(m + len(hub), device=hub.device)
        across = above(new.units @ old.units.mT, self._bound)
        within = edges_above(new.units @ new.units.mT, self._bound)
        labels = torch.cat([old.labels, index[m:]])
        for hits, columns in ((across, index[:m]), (within, index[m:])):
            labels = unite(labels, *joins(hits[None], index[None, m:], columns[None], labels))
        degree = torch.cat([old.degree + tally(across, 0), tally(across, 1) + ends(within)])
        self._held = _Held(**{**both, "labels": labels, "degree": degree})
        return m

    def _fold(self, into: Tensor) -> None:
        """Replace held tokens by the mean of those that fold into the same one."""
        held, index = self._held, torch.arange(len(into), device=into.device)
        stays = into == index
        members = torch.zeros_like(held.members).index_add_(0, into, held.members)[stays]
        tokens = torch.zeros_like(held.tokens)
        tokens.index_add_(0, into, held.tokens * held.members[:, None])
        tokens = tokens[stays] / members[:, None]
        units = torch.where(
            members[:, None] > held.members[stays, None], unit(tokens), held.units[stays]
        )
        names, rank = held.labels[stays], stays.cumsum(0) - 1
        first = torch.full_like(index, len(into)).scatter_reduce(0, names, rank[stays], "amin")
        labels = first[names]
        self._held = _Held(tokens, units, members, labels, held.degree[stays], held.hub[stays])
        self._spatial = deque((rank[into[s]] for s in self._spatial), maxlen=self.frames)
        self.folds += len(into) - len(labels)


def _alone(tokens: Tensor, hub: Tensor) -> _Held:
    m = len(tokens)
    zero = torch.zeros(m, dtype=torch.int64, device=tokens.device)
    return _Held(tokens, unit(tokens), torch.ones(m, device=tokens.device), zero, zero, hub)


def _into_group(held: _Held, over: int) -> Tensor:
    """[m]: the token each folds into, itself if it stays: up to `over` oldest, inside groups."""
    index = torch.arange(len(held.labels), device=held.labels.device)
    newest = torch.zeros_like(index).scatter_reduce(0, held.labels, index, "amax")
    folds = torch.zeros_like(index, dtype=torch.bool)
    folds[(index < newest[held.labels]).nonzero().flatten()[:over]] = True
    names = held.labels[folds].unique()
    heir = torch.full_like(index, len(index))
    heir = heir.scatter_reduce(0, held.labels[~folds], index[~folds], "amin")
    folds[heir[names]] = True
    key = held.degree * len(index) + (len(index) - 1 - index)
    best = torch.full_like(key, -1).scatter_reduce(0, held.labels[folds], key[folds], "amax")
    hub = len(index) - 1 - best % len(index)
    return torch.where(folds, hub[held.labels], index)


def _into_nearest(held: _Held, over: int) -> Tensor:
    """[m]: the token each folds into: the `over` oldest into the nearest of the others."""
    index = torch.arange(len(held.labels), device=held.labels.device)
    return torch.cat([nearest(held.units[:over], held.units[over:]) + over, index[over:]])


def _compression(
    stream: StreamCompressor,
    kept: Tensor,
    spatial: Tensor,
    group: Tensor,
    share: Tensor,
    hub: Tensor,
) -> Compression:
    frames, n = spatial.shape
    at = hub[:, 0] * n + hub[:, 1]
    return Compression(
        method="scc",
        tokens=kept,
        grid=stream.grid,
        spatial=spatial,
        group=group,
        share=share,
        hub=hub,
        place=share_places(share.flatten(), at, frames, stream.grid),
        counts=(frames * n, len(stream._held.labels), len(kept)),
        tau_spatial=stream.tau,
        tau_temporal=stream.tau,
    )


def _empty(grid: tuple[int, int], tau: float) -> Compression:
    none = torch.zeros(0, grid[0] * grid[1], dtype=torch.int64)
    hub, place = torch.zeros(0, 2, dtype=torch.int64), torch.zeros(0, 3)
    return Compression(
        "scc", torch.zeros(0, 0), grid, none, none, none, hub, place, (0, 0, 0), tau, tau
    )
