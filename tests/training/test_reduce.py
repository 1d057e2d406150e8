"""Every reduction leaves tokens that are means of tokens, each at the mean of their places."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from scissor.training.reduce import KINDS, reduce
from scissor.types import cell_places

BATCH = 2


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def clip(frames, grid, seed=0):
    """Tokens that tell where they stand: three of their channels are their place."""
    place = cell_places(frames, grid).expand(BATCH, -1, -1)
    noise = torch.randn(*place.shape[:2], 5, generator=seeded(seed))
    return torch.cat([place, noise], -1).unflatten(1, (frames, -1))


cases = st.tuples(
    st.sampled_from(KINDS),
    st.integers(1, 6),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.floats(0.02, 1.2),
    st.integers(0, 99),
)


@settings(max_examples=80)
@given(cases)
def test_tokens_stand_where_what_they_average_stood(case):
    kind, frames, grid, part, seed = case
    total = frames * grid[0] * grid[1]
    keep = max(1, round(part * total))
    kept, place = reduce(clip(frames, grid), grid, kind, keep, seeded(seed))
    assert kept.shape == (BATCH, place.shape[1], 8)
    assert 1 <= place.shape[1] <= total
    torch.testing.assert_close(kept[..., :3], place)  # the mean of the places is the place
    assert (place >= 0).all()
    assert (place <= torch.tensor([frames, *grid]) - 1).all()
    again, _ = reduce(clip(frames, grid), grid, kind, keep, seeded(seed))
    assert torch.equal(again, kept)


@pytest.mark.parametrize("kind", ["subset", "centres", "both"])
@pytest.mark.parametrize("keep", [1, 5, 31, 32])
def test_the_count_is_met_exactly(kind, keep):
    kept, _ = reduce(clip(2, (4, 4)), (4, 4), kind, keep, seeded(1))
    assert kept.shape[1] == keep


@pytest.mark.parametrize(("keep", "frames"), [(1, 1), (16, 1), (31, 2), (47, 3), (90, 6)])
def test_whole_frames_are_kept(keep, frames):
    kept, place = reduce(clip(6, (4, 4)), (4, 4), "frames", keep, seeded(2))
    assert kept.shape[1] == frames * 16
    times, counts = place[0, :, 0].unique(return_counts=True)
    assert len(times) == frames
    assert (counts == 16).all()


@pytest.mark.parametrize("keep", [32, 96, 200, 784])
def test_pooling_comes_near_the_count(keep):
    sizes = {
        reduce(clip(8, (14, 14)), (14, 14), "pool", keep, seeded(seed))[0].shape[1]
        for seed in range(12)
    }
    assert len(sizes) > 1
    assert all(keep / 2 <= size <= 2 * keep for size in sizes)


def test_all_is_untouched():
    tokens = clip(3, (2, 4))
    for kind, keep in [("all", 1), *((kind, 24) for kind in KINDS)]:
        kept, place = reduce(tokens, (2, 4), kind, keep, seeded(3))
        assert torch.equal(kept, tokens.flatten(1, 2))
        assert torch.equal(place[0], cell_places(3, (2, 4)))


@pytest.mark.parametrize("kind", ["subset", "frames"])
def test_selection_takes_tokens_as_they_are_in_order(kind):
    tokens = clip(4, (3, 3))
    kept, place = reduce(tokens, (3, 3), kind, 18, seeded(4))
    index = (place * torch.tensor([9.0, 3.0, 1.0])).sum(-1).long()
    assert (index.diff() > 0).all()
    for b in range(BATCH):
        assert torch.equal(kept[b], tokens[b].flatten(0, 1)[index[b]])


def test_even_pools_keep_the_mean():
    tokens = clip(4, (4, 4))
    pools = [reduce(tokens, (4, 4), "pool", 16, seeded(seed))[0] for seed in range(12)]
    even = [kept for kept in pools if kept.shape[1] == 16]  # 1 x 4 x 4 and 4 x 2 x 2
    assert even
    for kept in even:
        torch.testing.assert_close(kept.mean(1), tokens.mean((1, 2)))


def test_averaged_around_centres_every_token_counts_once():
    tokens = clip(4, (4, 4), seed=5)
    flat, keep = tokens.flatten(1, 2), 6
    kept, _ = reduce(tokens, (4, 4), "centres", keep, seeded(6))
    draw = torch.rand(BATCH, 64, generator=seeded(6))
    for b in range(BATCH):
        centres = flat[b][draw[b].topk(keep).indices.sort().values]
        home = (F.normalize(flat[b], dim=-1) @ F.normalize(centres, dim=-1).T).argmax(-1)
        sizes = home.bincount(minlength=keep).float()
        assert (sizes > 0).all()
        want = torch.stack([flat[b][home == k].mean(0) for k in range(keep)])
        torch.testing.assert_close(kept[b], want)
        torch.testing.assert_close(sizes @ kept[b], flat[b].sum(0), atol=1e-3, rtol=1e-4)


def test_equal_tokens_stay_apart_at_their_centres():
    kept, place = reduce(torch.ones(1, 2, 8, 4), (2, 4), "centres", 5, seeded(7))
    assert torch.equal(kept, torch.ones(1, 5, 4))
    assert place.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_the_tokens(kind):
    tokens = clip(3, (4, 4)).requires_grad_()
    kept, _ = reduce(tokens, (4, 4), kind, 12, seeded(8))
    kept.sum().backward()
    assert tokens.grad.isfinite().all()
    torch.testing.assert_close(tokens.grad.sum(), torch.tensor(float(kept.numel())))


def test_averages_of_half_precision_are_taken_in_full():
    tokens = torch.full((1, 8, 196, 4), 1.0).to(torch.bfloat16)
    kept, _ = reduce(tokens, (14, 14), "centres", 1, seeded(9))
    assert kept.dtype == torch.bfloat16
    assert torch.equal(kept, torch.ones_like(kept))
