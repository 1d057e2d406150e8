"""Semantic Connected Components: `compress`, the public call, and what the page asks beside it.

The method of LLaVA-Scissor (arXiv 2506.21862):

  step 1   in every frame, tokens more alike than tau are linked; each component becomes its mean
  step 2   the same once more, over what step 1 left of all frames taken together
  merge    every input token enters the average of the token of step 2 that it is nearest to

A budget is a search for the tau that keeps so many; met exactly, the heaviest edges of step 2 unite
until the number is right, whatever tau that is. Read `compress` and `_compress`, then steps.py and
merge.py, which do it, and graph.py, which says what a component is.

Knows how a threshold or a budget becomes a Compression. Leaves the search for a threshold to
budget.py and what a language model does with the tokens to models/.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from scissor.budget import Curve, sample_curve, solve
from scissor.cosine import full_precision, unit
from scissor.merge import merged, share_places
from scissor.stages import Stages
from scissor.steps import (
    Plan,
    Prepared,
    Step,
    enough,
    exact_steps,
    graph,
    left_out,
    normalise,
    prepare,
    spatial_step,
    temporal_step,
)
from scissor.tiles import heaviest_edges
from scissor.types import Compression, Encoded, target_count

__all__ = ["Curve", "Prepared", "compress", "curve", "prepare", "temporal_edges"]

STEPS = ("both", "spatial", "temporal")


def compress(
    tokens: Tensor | Encoded | Prepared,
    tau: float | None = None,
    retention: float | None = None,
    *,
    exact: bool = False,
    epsilon: float | None = None,
    generator: torch.Generator | None = None,
    steps: str = "both",
    merge: bool = True,
    curve: Curve | None = None,
) -> Compression:
    """Compress a clip by semantic connected components, at a threshold or to a budget.

    tau: the cosine above which two tokens are joined, in both steps.
    retention: kept / (T*N) to aim at. One tau is searched for; the final count moves in jumps, so
    it may miss, by `kept - target`. With `exact` it does not: step 1's threshold rises until enough
    tokens are left, then the heaviest edges of step 2's spanning forest unite until the target is
    met; tau_temporal is then the heaviest edge that did not. (Step 1 alone keeps T tokens at
    least.) Retention 1 returns the input untouched. curve: this clip's; the search then starts from
    its points and makes at most three probes.
    epsilon: sample the graphs as eq. (2) does, seeded by `generator` (without one, always alike).
    It costs exactness: 3% to 50% more tokens are kept than components, which depends on the seed.
    steps: "spatial" or "temporal" alone; merge=False leaves out the merge: the paper's ablations.

    Raises ValueError unless one of tau, in [-1, 1], and retention, in (0, 1], is given, for `exact`
    with epsilon, and for tokens that `prepare` refuses.
    """
    _check(tau, retention, steps, exact and epsilon is not None)
    stages = Stages((tokens if isinstance(tokens, Tensor) else tokens.tokens).device)
    clip = _clip(tokens, spanned=retention is not None)
    stages.ended("prepare")
    total = math.prod(clip.tokens.shape[:2])
    target = None if retention is None else target_count(retention, total)
    if retention == 1 or not total:
        return _untouched(clip, tau, target, stages)
    plan = Plan(steps, epsilon, _seed(generator), merge)
    return _compress(clip, plan, tau, target, exact, curve, stages)


def curve(prepared: Prepared, points: int = 40) -> Curve:
    """What some `points` thresholds keep of a clip, chosen where the count moves most."""
    weights = prepared.forest.weight[:, 1:].flatten().sort().values.tolist()
    total = prepared.forest.weight.numel()
    if not total:
        return Curve(np.array([-1.0, 1.0]), np.zeros(2, np.int64), np.zeros(2, np.int64))
    at = np.linspace(0, max(len(weights) - 1, 0), max(points // 4, 2)).astype(int)
    taus = {-1.0, 1.0, *(weights[k] for k in at if weights)}
    with torch.no_grad(), full_precision(prepared.tokens.device):
        found = sample_curve(lambda tau: _count(prepared, Plan(), tau), taus, total, points)
    spatial = [int(prepared.forest.counts(tau).sum()) for tau, _ in found]
    taus, kept = zip(*found, strict=True)
    return Curve(np.array(taus), np.array(spatial), np.array(kept))


def temporal_edges(prepared: Prepared, compression: Compression) -> tuple[Tensor, Tensor, Tensor]:
    """The spanning edges that make step 2's groups: (hub i [E, 2], hub j [E, 2], weight [E]).

    A hub is the (frame, token) of the step-1 component that the edge ends in. Heaviest first.
    """
    tau = compression.tau_spatial
    with torch.no_grad(), full_precision(prepared.tokens.device):
        one = spatial_step(prepared, Plan("temporal" if tau is None else "both"), tau)
        i, j, weight = heaviest_edges(unit(one.tokens), len(one.hub) - compression.kept)
    hub = _frame_and_token(one.hub, prepared.tokens.shape[1])
    return hub[i], hub[j], weight


def _check(tau: float | None, retention: float | None, steps: str, excluded: bool) -> None:
    if (tau is None) == (retention is None):
        raise ValueError("give either tau or retention")
    if tau is not None and not -1 <= tau <= 1:
        raise ValueError(f"tau is a cosine: it must be between -1 and 1, not {tau}")
    if steps not in STEPS:
        raise ValueError(f"steps must be one of {', '.join(STEPS)}, not {steps!r}")
    if excluded:
        raise ValueError("exact and epsilon exclude each other: a sampled graph is not exact")


def _seed(generator: torch.Generator | None) -> int:
    return 0 if generator is None else int(torch.randint(2**62, (), generator=generator))


def _clip(tokens: Tensor | Encoded | Prepared, spanned: bool) -> Prepared:
    if isinstance(tokens, Prepared):
        return tokens
    return prepare(tokens) if spanned else normalise(tokens)


def _compress(
    clip: Prepared,
    plan: Plan,
    tau: float | None,
    target: int | None,
    exact: bool,
    curve: Curve | None,
    stages: Stages,
) -> Compression:
    """At tau, or where the count is nearest to the target, or at the target: see exact_steps."""
    with torch.no_grad(), full_precision(clip.tokens.device):
        if target is not None:
            tau, met = _search(clip, plan, target, exact, curve)
            stages.ended("search")
        if exact and target is not None and not met:
            one, two = exact_steps(clip, plan, tau, target)
            stages.ended("steps")
        else:
            one = spatial_step(clip, plan, tau)
            stages.ended("spatial")
            two = temporal_step(one, plan, tau)
            stages.ended("temporal")
        kept, share = merged(clip, one, two, plan) if plan.merge else (two.tokens, None)
        stages.ended("merge")
        return _compression(clip, one, two, kept, share, target, stages)


def _count(clip: Prepared, plan: Plan, tau: float) -> int:
    """Tokens kept at tau."""
    one = spatial_step(clip, plan, tau)
    if plan.steps == "spatial":
        return len(one.hub)
    labels, _ = graph(unit(one.tokens), plan, tau)
    return int((labels == torch.arange(len(labels), device=labels.device)).sum())


def _search(
    clip: Prepared, plan: Plan, target: int, exact: bool, curve: Curve | None
) -> tuple[float, bool]:
    """The threshold whose final count is nearest to the target, and whether it meets it."""
    if exact and plan.steps != "both":  # one step alone: its edges' rank says it all
        return -1.0, False
    # Step 2 never adds a token: where step 1 leaves too few, so does the whole.
    lo = -1.0 if plan.steps == "temporal" else enough(clip.forest, target)
    known, probes = [(1.0, math.prod(clip.tokens.shape[:2]))], 16
    if curve is not None and plan.steps == "both" and plan.epsilon is None:
        known, probes = curve.points, 3
    within = target // (100 if exact else 1000)  # exact: the rank of the edges sees to the rest
    tau, kept = solve(lambda tau: _count(clip, plan, tau), target, lo, 1.0, known, probes, within)
    return tau, kept == target


def _compression(
    clip: Prepared,
    one: Step,
    two: Step,
    kept: Tensor,
    share: Tensor | None,
    target: int | None,
    stages: Stages,
) -> Compression:
    """Put the provenance together; share None: the merge was left out, a share is its group."""
    frames, n = clip.tokens.shape[:2]
    group = two.component[one.component]
    share = group if share is None else share
    hub = one.hub[two.hub]
    return Compression(
        method="scc",
        tokens=kept,
        grid=clip.grid,
        spatial=one.component.view(frames, n),
        group=group.view(frames, n),
        share=share.view(frames, n),
        hub=_frame_and_token(hub, n),
        place=share_places(share, hub, frames, clip.grid),
        counts=(frames * n, len(one.hub), len(hub)),
        tau_spatial=one.tau,
        tau_temporal=two.tau,
        target=target,
        seconds=stages.seconds(),
    )


def _untouched(
    clip: Prepared, tau: float | None, target: int | None, stages: Stages
) -> Compression:
    step = replace(left_out(clip.tokens.flatten(0, 1)), tau=1.0 if tau is None else tau)
    return _compression(clip, step, step, step.tokens, None, target, stages)


def _frame_and_token(index: Tensor, n: int) -> Tensor:
    return torch.stack([index // max(n, 1), index % max(n, 1)], -1)
