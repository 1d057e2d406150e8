"""The two steps of Semantic Connected Components, and the merge.

The mathematics of LLaVA-Scissor (arXiv 2506.21862), section 3: the tokens of each frame to
components (step 1), those of all frames to components (step 2), every input token to the nearest of
these (merge); at a threshold, or with a given number of tokens left. Leaves the search for a
threshold and the public call to scc.py, the graph to graph.py and tiles.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from scissor.graph import (
    Forest,
    degrees,
    frame_components,
    full_precision,
    hub_order,
    similarities,
    spanning_forest,
    unit,
    unite,
)
from scissor.tiles import heaviest_edges, link, nearest, sampled_link
from scissor.types import Encoded


@dataclass(frozen=True, eq=False)
class Prepared:
    """What all thresholds of one clip share; made once, after encoding, by `prepare`.

    tokens: [T, N, D] float32. grid: (rows, cols), rows * cols == N. units: [T, N, D], the tokens at
    length 1. similar: [T, N, N], cosines inside each frame. forest: the frames' spanning trees.
    """

    tokens: Tensor
    grid: tuple[int, int]
    units: Tensor
    similar: Tensor
    forest: Forest | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """The outcome of one step on n tokens: C components, numbered in hub order.

    component: [n] int64. hub: [C] int64, ascending. tokens: [C, D], the means of their members.
    tau: the threshold used, None where the step was left out.
    """

    component: Tensor
    hub: Tensor
    tokens: Tensor
    tau: float | None


@dataclass(frozen=True)
class Plan:
    """Which steps to do, and how to sample their graphs (epsilon None: not at all)."""

    steps: str = "both"
    epsilon: float | None = None
    seed: int = 0


def prepare(tokens: Tensor | Encoded, grid: tuple[int, int] | None = None) -> Prepared:
    """Normalise the tokens [T, N, D] of a clip, compare them inside each frame, span the frames.

    grid is that of Encoded; of a plain tensor square where N is a square, else (1, N). Raises
    ValueError for another shape, a grid that does not fit, NaN or infinite input.
    """
    clip = compare(tokens, grid)
    with torch.no_grad(), full_precision(clip.tokens.device):
        return replace(clip, forest=spanning_forest(clip.units, clip.similar))


def compare(tokens: Tensor | Encoded, grid: tuple[int, int] | None = None) -> Prepared:
    """`prepare` without the forest: all that a single threshold needs."""
    if isinstance(tokens, Encoded):
        tokens, grid = tokens.tokens, grid or tokens.grid
    if tokens.ndim != 3:
        raise ValueError(f"tokens must be [frames, tokens, width], not {list(tokens.shape)}")
    tokens = tokens.detach().float()
    n = tokens.shape[1]
    side = math.isqrt(n)
    rows, cols = grid or ((side, side) if side * side == n else (1, n))
    if rows * cols != n:
        raise ValueError(f"a grid of {rows} x {cols} does not hold {n} tokens a frame")
    finite = torch.isfinite(tokens).all(-1)
    if not finite.all():
        t, i = (~finite).nonzero()[0].tolist()
        raise ValueError(f"token {i} of frame {t} is NaN or infinite")
    with torch.no_grad(), full_precision(tokens.device):
        units = unit(tokens)
        return Prepared(tokens, (rows, cols), units, similarities(units))


def spatial_step(clip: Prepared, plan: Plan, tau: float) -> Step:
    """Step 1: the components of every frame's graph, frames following one another."""
    tokens = clip.tokens.flatten(0, 1)
    if plan.steps == "temporal":
        return left_out(tokens)
    labels, degree = _frame_graphs(clip, plan, tau)
    frames, n = labels.shape
    labels = labels + n * torch.arange(frames, device=labels.device)[:, None]
    return _condensed(tokens, labels.flatten(), degree.flatten(), tau)


def _frame_graphs(clip: Prepared, plan: Plan, tau: float) -> tuple[Tensor, Tensor]:
    """(labels, degree), each [T, N], labels in [0, N)."""
    if plan.epsilon is not None:
        plans = (replace(plan, seed=plan.seed + t) for t in range(len(clip.units)))
        graphs = [graph(u, p, tau) for u, p in zip(clip.units, plans, strict=True)]
        labels, degree = zip(*graphs, strict=True)
        return torch.stack(labels), torch.stack(degree)
    labels = clip.forest.labels(tau) if clip.forest else frame_components(clip.similar, tau)
    return labels, degrees(clip.similar, tau)


def temporal_step(one: Step, plan: Plan, tau: float) -> Step:
    """Step 2: the components of the graph of all tokens of step 1 taken together."""
    if plan.steps == "spatial":
        return left_out(one.tokens)
    return _condensed(one.tokens, *graph(unit(one.tokens), plan, tau), tau)


def graph(units: Tensor, plan: Plan, tau: float) -> tuple[Tensor, Tensor]:
    """(labels [n], degree [n]) of the graph of unit vectors [n, D], sampled where planned so."""
    if plan.epsilon is None:
        return link(units, tau)
    return sampled_link(units, tau, plan.epsilon, torch.Generator().manual_seed(plan.seed))


def left_out(tokens: Tensor) -> Step:
    """A step that joins nothing."""
    index = torch.arange(len(tokens), device=tokens.device)
    return Step(index, index, tokens, None)


def _condensed(tokens: Tensor, labels: Tensor, degree: Tensor, tau: float) -> Step:
    """Components in hub order; each becomes the unweighted mean of its tokens."""
    component, hub = hub_order(labels, degree)
    size = component.bincount(minlength=len(hub))
    mean = torch.zeros(len(hub), tokens.shape[1], device=tokens.device)
    mean = mean.index_add_(0, component, tokens) / size[:, None]
    return Step(component, hub, mean, tau)


def enough(forest: Forest, target: int) -> float:
    """The lowest threshold at which step 1 leaves `target` tokens; -1 where one a frame will do."""
    frames = len(forest.weight)
    if target <= frames:
        return -1.0
    return float(forest.weight[:, 1:].flatten().sort().values[target - frames - 1])


def exact_steps(clip: Prepared, plan: Plan, tau: float, target: int) -> tuple[Step, Step]:
    """Both steps with `target` tokens left: step 1 at tau or above, step 2 by the rank of edges.

    The heaviest edges of step 2's spanning forest unite, ordered by (weight, i, j): no threshold
    would do, since duplicates tie. The tau of a step is then its heaviest edge that did not unite.
    Where step 1 is alone its own edges unite so, and one token a frame is the least it leaves.
    """
    if plan.steps == "spatial":
        one = _frames_united(clip, target)
        return one, left_out(one.tokens)
    if plan.steps == "both":
        tau = max(tau, enough(clip.forest, target))
    one = spatial_step(clip, plan, tau)
    units = unit(one.tokens)
    edges = len(units) - target
    i, j, weight = heaviest_edges(units, min(edges + 1, len(units) - 1))
    tau = float(weight[edges]) if edges < len(weight) else -1.0
    labels = torch.arange(len(units), device=units.device)
    labels = unite(labels, i[:edges], j[:edges])
    return one, _condensed(one.tokens, labels, link(units, tau)[1], tau)


def _frames_united(clip: Prepared, target: int) -> Step:
    """Step 1 by rank: the heaviest edges of all frames' forests unite."""
    frames, n = clip.tokens.shape[:2]
    start = n * torch.arange(frames, device=clip.tokens.device)[:, None]
    i, j = ((ends + start)[:, 1:].flatten() for ends in (clip.forest.parent, clip.forest.order))
    weight = clip.forest.weight[:, 1:].flatten()
    order = weight.argsort(descending=True, stable=True)
    edges = min(frames * n - target, len(order))
    tau = float(weight[order[edges]]) if edges < len(order) else -1.0
    cut = order[:edges]
    labels = torch.arange(frames * n, device=weight.device)
    labels = unite(labels, i[cut], j[cut])
    return _condensed(clip.tokens.flatten(0, 1), labels, degrees(clip.similar, tau).flatten(), tau)


def merged(clip: Prepared, two: Step) -> tuple[Tensor, Tensor]:
    """(kept tokens [K, D], share [T*N]): every input token enters the average it is nearest to.

    With s_j the tokens of step 2 and a(i) = argmax_j cos(x_i, s_j), the lowest j on ties:
    kept_j = (s_j + sum of the x_i with a(i) = j) / (1 + how many they are).
    """
    share = nearest(clip.units.flatten(0, 1), unit(two.tokens))
    size = 1 + share.bincount(minlength=len(two.hub))
    kept = two.tokens.index_add(0, share, clip.tokens.flatten(0, 1)) / size[:, None]
    return kept, share
