"""Components of graphs whose hits lie in whole matrices: how a GPU finds them.

A GPU is quick at few large steps, slow to be sent many and slowest when the host asks how far it
is. So small graphs are squared until every path is one edge, a number of steps that their size
alone fixes, and nothing is asked. Larger ones spread their labels, reading hits in single bytes,
and the host asks once, when they have most likely settled.

Knows whole-tensor steps, on any device. Leaves what a CPU does, and graphs too large for a matrix,
to union.py and tiles.py.
"""

from __future__ import annotations

from itertools import count

import torch
from torch import Tensor

SQUARE = 2**33  # multiplications up to which a squaring costs less than a question: 2,048 vertices
TURNS = 4  # before the host asks: enough on most clips, with the one that changes nothing
BYTES = 1024  # of a row, counted at a time


def linked(hits: Tensor, joined: bool = True) -> tuple[Tensor, Tensor]:
    """(labels, degree), each [B, n] int64, of graphs whose edges are the hits [B, n, n] with i < j.

    A label is the smallest member of the component; joined False: it is not looked for. Hits with
    i >= j are taken away in place.
    """
    upper = hits.triu_(1)
    both = upper | upper.mT
    degree = tally(both)
    return smallest(both) if joined else torch.zeros_like(degree), degree


def tally(hits: Tensor) -> Tensor:
    """hits.sum(-1), int64, of bool [B, n, n]; long rows are added up eight bytes at a time."""
    if hits.shape[-1] % BYTES or not hits.numel():
        return hits.sum(-1)  # makes eight bytes of each
    words = hits.view(torch.int64).unflatten(-1, (-1, BYTES // 8))
    return words.sum(-1).view(torch.uint8).sum(-1)  # no byte of a word's sum exceeds 128


def smallest(hits: Tensor) -> Tensor:
    """[B, n] int64: the smallest member of every vertex's component, of symmetric hits [B, n, n].

    The diagonal of the hits is set in place.
    """
    if not hits.numel():
        return torch.zeros(hits.shape[:2], dtype=torch.int64, device=hits.device)
    hits.diagonal(dim1=1, dim2=2).fill_(True)
    return _squared(hits) if hits.numel() * hits.shape[1] <= SQUARE else _spread(hits)


def _squared(hits: Tensor) -> Tensor:
    """Every squaring of the matrix doubles the length of the paths that it knows.

    In float16, its sides padded: tensor cores want eights. No sum is above n, so none is infinite,
    and where there is a path none is zero.
    """
    graphs, n = hits.shape[:2]
    side = 8 * -(-n // 8)
    paths = torch.zeros(graphs, side, side, dtype=torch.float16, device=hits.device)
    paths[:, :n, :n] = hits
    for _ in range((n - 1).bit_length()):
        paths = (paths @ paths).clamp_(max=1)
    return paths[:, :n].argmax(-1)


def _spread(hits: Tensor) -> Tensor:
    """Turns until one changes nothing: then no edge leads to a smaller label, nor to another."""
    graphs, n = hits.shape[:2]
    labels = torch.arange(n, device=hits.device).expand(graphs, n)
    none = torch.full((), n, dtype=torch.int16 if n < 2**15 else torch.int32, device=hits.device)
    for turn in count(1):
        before, labels = labels, _turn(labels, hits, none)
        if turn >= TURNS and torch.equal(before, labels):
            return labels


def _turn(labels: Tensor, hits: Tensor, none: Tensor) -> Tensor:
    """Every vertex and its root take the least label in reach; then paths are halved twice."""
    least = torch.where(hits, labels.to(none.dtype)[:, None], none).amin(2).long()
    labels = least.scatter_reduce(1, labels, least, "amin")
    for _ in range(2):
        labels = labels.gather(1, labels)
    return labels
