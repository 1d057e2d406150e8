"""Compressions made by hand: any tokens, averaged or not, in any order."""

import torch

from scissor.types import Compression


def kept_of(encoded, count, seed=0, merge=True):
    """A compression that keeps `count` tokens, averages of two if `merge`, in shuffled order."""
    T, N, _ = encoded.tokens.shape
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(T * N, generator=generator)[:count]
    flat = encoded.tokens.flatten(0, 1)
    tokens = (flat[chosen] + flat[chosen.roll(1)]) / 2 if merge else flat[chosen]
    share = torch.full((T * N,), -1)
    share[chosen] = torch.arange(count)
    share = share.reshape(T, N)
    hub = torch.stack([chosen // N, chosen % N], dim=1)
    counts = (T * N, count, count)
    place = torch.zeros(count, 3)
    return Compression("test", tokens, encoded.grid, share, share, share, hub, place, counts)
