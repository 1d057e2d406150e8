"""A small clip with structure: a still background in two tones and a block that moves."""

import pytest
import torch

from scissor.scc import compress, prepare


def scene_tokens(frames: int = 4, side: int = 6, width: int = 24) -> torch.Tensor:
    """[T, side*side, D]: left and right background, a 2 x 2 block that walks right, small noise."""
    generator = torch.Generator().manual_seed(5)
    left, right, block = torch.nn.functional.normalize(
        torch.randn(3, width, generator=generator), dim=1
    )
    tokens = torch.empty(frames, side, side, width)
    for t in range(frames):
        tokens[t, :, : side // 2], tokens[t, :, side // 2 :] = left, right
        tokens[t, 2:4, t : t + 2] = block
    tokens += 0.02 * torch.randn(tokens.shape, generator=generator)
    return tokens.reshape(frames, side * side, width)


@pytest.fixture(scope="session")
def prepared():
    return prepare(scene_tokens())


@pytest.fixture(scope="session", params=[0.2, 0.9, 0.98, 1.0], ids=lambda tau: f"tau {tau}")
def made(request, prepared):
    return compress(prepared, tau=request.param)
