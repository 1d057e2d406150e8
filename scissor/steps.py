"""The two steps of Semantic Connected Components.

The mathematics of LLaVA-Scissor (arXiv 2506.21862), section 3: the tokens of each frame to
components (step 1), those of all frames to components (step 2); at a threshold, or with a given
number of tokens left. Leaves the merge to merge.py, the search for a threshold and the public call
to scc.py, the graph to graph.py and tiles.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from scissor.cosine import cut, full_precision, similarities, unit, upper_products
from scissor.graph import Forest, frame_graphs, hub_order, spanning_forest
from scissor.sampled import sampled_link
from scissor.tiles import heaviest_edges, link
from scissor.types import Encoded
from scissor.union import joined, sizes, totals, unite

MATRICES = 2**28  # bytes: similarity matrices beyond are made in parts and not kept


@dataclass(frozen=True, eq=False)
class Prepared:
    """What all thresholds of one clip share; made once, after encoding, by `prepare`.

    tokens: [T, N, D] float32. grid: (rows, cols), rows * cols == N. units: [T, N, D], the tokens at
    length 1. similar: [T, N, N], cosines inside each frame; None where they would take more than
    MATRICES bytes. forest: the frames' spanning trees; None where one threshold is enough.
    """

    tokens: Tensor
    grid: tuple[int, int]
    units: Tensor
    similar: Tensor | None = None
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
    """Which steps to do, whether to merge, how to sample the graphs (epsilon None: not)."""

    steps: str = "both"
    epsilon: float | None = None
    seed: int = 0
    merge: bool = True


def prepare(tokens: Tensor | Encoded, grid: tuple[int, int] | None = None) -> Prepared:
    """Normalise the tokens [T, N, D] of a clip, compare them inside each frame, span the frames.

    grid is that of Encoded; of a plain tensor square where N is a square, else (1, N). Raises
    ValueError for another shape, a grid that does not fit, NaN or infinite input.
    """
    clip = normalise(tokens, grid)
    frames, n = clip.units.shape[:2]
    with torch.no_grad(), full_precision(clip.units.device):
        if 4 * frames * n * n <= MATRICES:
            similar = similarities(clip.units)
            return replace(clip, similar=similar, forest=spanning_forest(clip.units, similar))
        alone = 4 * n * n <= MATRICES  # one frame's matrix at a time, or only its rows
        parts = (u[None] for u in clip.units)
        forests = [spanning_forest(u, similarities(u) if alone else None) for u in parts]
    trees = ((f.order, f.parent, f.weight) for f in forests)
    return replace(clip, forest=Forest(*(torch.cat(x) for x in zip(*trees, strict=True))))


def normalise(tokens: Tensor | Encoded, grid: tuple[int, int] | None = None) -> Prepared:
    """`prepare` without similarities and forest: all that a single threshold needs."""
    if isinstance(tokens, Encoded):
        tokens, grid = tokens.tokens, grid or tokens.grid
    if tokens.ndim != 3:
        raise ValueError(f"tokens must be [frames, tokens, width], not {list(tokens.shape)}")
    tokens = tokens.detach().float().contiguous()
    n = tokens.shape[1]
    side = math.isqrt(n)
    rows, cols = grid or ((side, side) if side * side == n else (1, n))
    if rows * cols != n:
        raise ValueError(f"a grid of {rows} x {cols} does not hold {n} tokens a frame")
    with torch.no_grad():
        units = unit(tokens)
    return Prepared(tokens, (rows, cols), units)


def spatial_step(clip: Prepared, plan: Plan, tau: float) -> Step:
    """Step 1: the components of every frame's graph, frames following one another."""
    tokens = clip.tokens.flatten(0, 1)
    if plan.steps == "temporal":
        return left_out(tokens)
    labels, degree = _frame_graphs(clip, plan, tau)
    frames, n = labels.shape
    labels = labels.add(torch.arange(frames, device=labels.device)[:, None], alpha=n)
    return _condensed(tokens, labels.flatten(), degree.flatten(), tau)


def _frame_graphs(clip: Prepared, plan: Plan, tau: float) -> tuple[Tensor, Tensor]:
    """(labels, degree), each [T, N], labels in [0, N)."""
    n = clip.units.shape[1]
    if plan.epsilon is not None or 4 * n * n > MATRICES:
        plans = (replace(plan, seed=plan.seed + t) for t in range(len(clip.units)))
        graphs = [graph(u, p, tau) for u, p in zip(clip.units, plans, strict=True)]
        return tuple(torch.stack(x) for x in zip(*graphs, strict=True))
    spanned = clip.forest is not None
    graphs = [frame_graphs(p, cut(tau), not spanned) for p in _products(clip)]
    labels, degree = (joined(x) for x in zip(*graphs, strict=True))
    return clip.forest.labels(tau) if spanned else labels, degree


def _products(clip: Prepared) -> Iterator[Tensor]:
    """[t, N, N] for some frames at a time: the kept similarities, or products made anew."""
    if clip.similar is not None:
        yield clip.similar
        return
    for units in clip.units.split(max(1, MATRICES // (16 * clip.units.shape[1] ** 2))):
        yield upper_products(units)


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
    size = sizes(component, len(hub))
    mean = totals(tokens, component, len(hub)).div_(size[:, None])
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
    i, j = ((side + start)[:, 1:].flatten() for side in (clip.forest.parent, clip.forest.order))
    weight = clip.forest.weight[:, 1:].flatten()
    order = weight.argsort(descending=True, stable=True)
    edges = min(frames * n - target, len(order))
    tau = float(weight[order[edges]]) if edges < len(order) else -1.0
    chosen = order[:edges]
    labels = unite(torch.arange(frames * n, device=weight.device), i[chosen], j[chosen])
    degree = _frame_graphs(clip, Plan(), tau)[1]
    return _condensed(clip.tokens.flatten(0, 1), labels, degree.flatten(), tau)
