"""The tower: TensorFlow's padding, cells in order, evidence from two sizes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tinymini import tiny_config

from scissor.mini.config import Config
from scissor.mini.tower import SameConv, Tower, agreed, cell_logits


def plain_same_conv(x, weight, stride):
    """One channel, by the definition of "same": output ceil(n / stride), odd padding at the end."""
    n, k = len(x), len(weight)
    out = -(-n // stride)
    spare = max((out - 1) * stride + k - n, 0)
    padded = np.pad(x, [(spare // 2, spare - spare // 2)] * 2)
    return np.array(
        [
            [
                (padded[i * stride : i * stride + k, j * stride : j * stride + k] * weight).sum()
                for j in range(out)
            ]
            for i in range(out)
        ]
    )


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(3, 12),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.sampled_from([1, 2]),
    seed=st.integers(0, 99),
)
def test_same_padding_is_tensorflows(n, kernel, stride, seed):
    torch.manual_seed(seed)
    conv = SameConv(1, 1, kernel, stride)
    x = torch.randn(n, n)
    weight = conv.weight.detach()[0, 0].numpy()
    want = plain_same_conv(x.numpy(), weight, stride) + conv.bias.item()
    np.testing.assert_allclose(conv(x[None, None])[0, 0].detach().numpy(), want, atol=1e-5)


@pytest.fixture(scope="module")
def tower():
    torch.manual_seed(0)
    return Tower(tiny_config()).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def frames():
    return torch.randint(0, 256, (3, 64, 64, 3), dtype=torch.uint8, generator=torch.manual_seed(1))


def test_the_full_size_gives_196_cells():
    config = Config(glance=224)
    assert config.grid == (14, 14)
    assert config.features == 320 + 112 + 80 + 320
    with torch.device("meta"):
        maps = Tower(config).maps(torch.zeros(1, 448, 448, 3))
    assert [tuple(maps[tap].shape[1:]) for tap in (3, 4, 6)] == [
        (80, 28, 28),
        (112, 28, 28),
        (320, 14, 14),
    ]


def test_cells_stand_in_reading_order(tower, frames):
    seen, maps = tower(frames), tower.maps(frames)
    rows, cols = tower.config.grid
    last = maps[-1]
    assert last.shape[-2:] == (rows, cols)
    for n in range(rows * cols):
        torch.testing.assert_close(seen.features[:, n, :24], last[:, :, n // cols, n % cols])


def test_finer_stages_are_averaged_onto_the_grid(tower, frames):
    fine = tower.maps(frames)[2]
    assert fine.shape[-1] == 2 * tower.config.grid[1]
    mean = fine.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean((3, 5)).flatten(2).transpose(1, 2)
    torch.testing.assert_close(tower(frames).features[..., 24:32], mean)


def test_evidence_is_ordered_and_part_of_one(tower, frames):
    seen = tower(frames)
    assert seen.classes.shape == seen.probabilities.shape == (3, 16, 3)
    assert (seen.probabilities.diff(dim=-1) <= 0).all()
    assert (seen.probabilities.sum(-1) <= 1 + 1e-6).all()
    assert seen.features.shape[-1] == tower.config.features


def test_drawn_names_are_evidence_beside_imagenets(frames):
    torch.manual_seed(0)
    config = tiny_config(drawn=6)
    tower = Tower(config).eval().requires_grad_(False)
    features, logits = tower.look(frames)
    seen, few, classes = tower.seen(features, logits), config.evidence, config.classes
    assert logits.shape[-1] == classes + 7
    shares = logits[..., classes:].softmax(-1)
    best = shares[..., :-1].sort(-1, descending=True).values[..., :few]
    torch.testing.assert_close(seen.probabilities[..., few:], best)
    assert (seen.classes[..., :few] < classes).all()
    assert (seen.classes[..., few:] >= classes).all()
    assert (seen.classes[..., few:] < classes + 6).all()  # the last row says that it is none


def test_a_branch_leaves_imagenets_evidence_alone(tower, frames):
    torch.manual_seed(0)
    config = tiny_config(drawn=6, branch=3)
    both = Tower(config).eval().requires_grad_(False)
    both.load_state_dict(tower.state_dict(), strict=False)
    few, classes = config.evidence, config.classes
    both.branch.begin(both, known=False)
    seen = both(frames)
    torch.testing.assert_close(seen.features, tower(frames).features)
    torch.testing.assert_close(seen.probabilities[..., few:], torch.full((3, 16, few), 1 / 7))
    for part in both.branch.parameters():
        part.add_(0.1 * torch.randn_like(part))
    other, alone = both(frames), tower(frames)
    torch.testing.assert_close(other.probabilities[..., :few], alone.probabilities)
    assert torch.equal(other.classes[..., :few], alone.classes)
    assert (other.classes[..., few:] >= classes).all()
    assert not torch.allclose(other.features[..., :24], alone.features[..., :24])
    torch.testing.assert_close(other.features[..., 24:32], alone.features[..., 24:32])


def test_without_a_glance_a_cell_is_judged_with_its_neighbours(frames):
    torch.manual_seed(0)
    tower = Tower(tiny_config(glance=0)).eval()
    seen = tower(frames)
    logits = agreed(cell_logits(tower, tower.maps(frames)[-1])).flatten(2).transpose(1, 2)
    torch.testing.assert_close(seen.probabilities, logits.softmax(-1).topk(3).values)
    assert seen.features.shape[-1] == 32


def test_a_glance_adds_its_logits(tower, frames):
    near = cell_logits(tower, tower.maps(frames)[-1])
    small = tower.shrink(frames, 32)
    assert small.shape == (3, 32, 32, 3)
    torch.testing.assert_close(small[0, 0, 0], frames[0, :2, :2].float().mean((0, 1)))
    far = cell_logits(tower, tower.maps(small)[-1])
    far = torch.nn.functional.interpolate(far, near.shape[-2:], mode="bilinear")
    want = agreed(near + far).flatten(2).transpose(1, 2).softmax(-1).topk(3)
    seen = tower(frames)
    torch.testing.assert_close(seen.probabilities, want.values)
    assert torch.equal(seen.classes, want.indices)


def test_what_a_mirror_shows_has_its_say_about_drawn_names_alone(frames):
    torch.manual_seed(5)
    tower = Tower(tiny_config(drawn=6, branch=3, mirror=48)).eval().requires_grad_(False)
    known = tower.config.classes
    alone = Tower(tiny_config(drawn=6, branch=3)).eval()
    alone.load_state_dict(tower.state_dict())
    features, logits = tower.look(frames)
    same, two = alone.look(frames)
    assert torch.equal(features, same)
    assert torch.equal(logits[..., :known], two[..., :known])
    mirror = tower.shrink(frames, 48).flip(2)
    third = tower.read(mirror)[1][:, known:].flip(3)
    third = torch.nn.functional.interpolate(third, tower.config.grid, mode="bilinear")
    want = (two[..., known:] + agreed(third).flatten(2).transpose(1, 2)) * 2 / 3
    torch.testing.assert_close(logits[..., known:], want)


def test_cells_agree_with_their_neighbours():
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 6, 7)
    weights = torch.tensor([1.0, 2, 1]) / 4
    kernel = (weights[:, None] * weights).expand(5, 1, 3, 3)
    wider = torch.nn.functional.pad(logits, (1, 1, 1, 1), mode="replicate")
    want = torch.nn.functional.conv2d(wider, kernel, groups=5)
    torch.testing.assert_close(agreed(logits), want)
    level = torch.ones(1, 3, 4, 4) * torch.randn(1, 3, 1, 1)
    torch.testing.assert_close(agreed(level), level)


def test_frames_do_not_see_each_other(tower, frames):
    together = tower(frames)
    for i in range(3):
        alone = tower(frames[i : i + 1])
        torch.testing.assert_close(alone.features[0], together.features[i], atol=1e-5, rtol=1e-4)
