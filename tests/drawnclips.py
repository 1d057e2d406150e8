"""Tokens of small clips, many alike, some the same: what the tests of the method are fed with."""

import torch
from hypothesis import strategies as st
from torch import Tensor


def clip(seed: int, frames: int = 4, n: int = 12, width: int = 8, kind: str = "scene") -> Tensor:
    """Tokens [T, N, D]: a background that stays, noise, a shared direction; or with many ties."""
    g = torch.Generator().manual_seed(seed)
    if kind == "ties":
        return torch.randint(-1, 3, (frames, n, min(width, 3)), generator=g).float()
    regions = torch.randn(5, width, generator=g)
    background = regions[torch.randint(0, 5, (n,), generator=g)]
    moving = torch.randn(frames, n, width, generator=g) * (
        torch.rand(frames, n, 1, generator=g) < 0.3
    )
    noise = 0.3 * torch.randn(frames, n, width, generator=g)
    x = background + moving + noise + 0.5 * torch.randn(width, generator=g)
    if kind == "repeats":
        x[1 % frames] = x[0].clone()
        x[-1, n // 2 :] = x[-1, 0].clone()
        x[0, 0] = 0
    return x


clips = st.builds(
    clip,
    seed=st.integers(0, 10**6),
    frames=st.integers(1, 5),
    n=st.integers(1, 14),
    width=st.integers(1, 10),
    kind=st.sampled_from(["scene", "repeats", "ties"]),
)
