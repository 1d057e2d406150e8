import pytest
import torch
from torch import Tensor

from scissor import sampled, tiles
from scissor.cosine import unit

pytestmark = pytest.mark.usefixtures("one_thread")


def heap() -> Tensor:
    """All but three alike, shuffled."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(1, 90, generator=g) + 0.1 * torch.randn(90, 90, generator=g)
    x[-3:] = torch.randn(3, 90, generator=g)
    return unit(x[torch.randperm(90, generator=g)])


def test_the_sample_of_equation_two_has_ln_n_over_epsilon_squared_vertices():
    assert sampled.sample_size(3233, 0.05) == 3233
    assert sampled.sample_size(3234, 0.05) == 3233
    assert sampled.sample_size(10**6, 0.05) == 5527
    assert sampled.sample_size(1, 0.05) == 1
    for epsilon in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="epsilon"):
            sampled.sample_size(10, epsilon)


def test_vertices_that_the_sample_does_not_reach_stay_alone():
    units = heap()
    exact, _ = tiles.link(units, 0.9)
    for seed in range(5):
        g = torch.Generator().manual_seed(seed)
        labels, degree = sampled.sampled_link(units, 0.9, 0.8, g)
        assert len(labels.unique()) >= len(exact.unique())
        assert torch.equal(exact[labels], exact)  # what is together belongs together
        alone = degree == 0
        assert torch.equal(labels[alone], alone.nonzero().flatten())
