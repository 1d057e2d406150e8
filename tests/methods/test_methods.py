"""Properties that every compressor keeps, and what the controls are."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor.methods import METHODS
from scissor.methods.pool import coarse_grid
from scissor.types import Encoded, target_count

EXACT = ("scc", "random")


def encoded(frames=3, grid=(4, 5), width=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(frames, grid[0] * grid[1], width, generator=generator)
    times = torch.arange(frames).double().numpy()
    return Encoded(tokens, grid, times, "test", f"clip {seed}")


shapes = st.tuples(st.integers(1, 4), st.tuples(st.integers(1, 5), st.integers(1, 5)))
retentions = st.floats(0.01, 1)


@pytest.mark.parametrize("name", list(METHODS))
@settings(max_examples=40)
@given(shapes, retentions, st.integers(0, 5))
def test_the_count_is_right_and_the_provenance_whole(name, shape, retention, seed):
    clip = encoded(*shape, seed=seed)
    kept = METHODS[name](clip, retention)
    total = clip.tokens.shape[0] * clip.tokens.shape[1]
    assert kept.counts[0] == total
    assert kept.target in (target_count(retention, total), None)
    assert kept.tokens.shape == (kept.kept, clip.tokens.shape[2])
    assert kept.hub.shape == (kept.kept, 2)
    assert kept.place.shape == (kept.kept, 3)
    assert kept.grid == clip.grid
    if name in EXACT:
        assert kept.kept == target_count(retention, total)
    for label in (kept.group, kept.share):
        assert label.shape == clip.tokens.shape[:2]
        assert label.min() >= -1
        assert label.max() < kept.kept


@pytest.mark.parametrize("name", ["random", "frames", "pool"])
@settings(max_examples=40)
@given(shapes, retentions)
def test_kept_tokens_are_inputs_or_means_of_inputs_in_order(name, shape, retention):
    clip = encoded(*shape)
    kept = METHODS[name](clip, retention)
    flat, share = clip.tokens.reshape(-1, clip.tokens.shape[2]), kept.share.flatten()
    for j in range(kept.kept):
        members = share == j
        assert members.any()
        torch.testing.assert_close(kept.tokens[j], flat[members].mean(0), atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(kept.place[j], clip.places[members].mean(0))
        frame, cell = kept.hub[j].tolist()
        assert kept.share[frame, cell] == j
    order = kept.hub[:, 0] * clip.tokens.shape[1] + kept.hub[:, 1]
    if name != "pool":
        assert (order.diff() > 0).all()
        assert (kept.share >= 0).sum() == kept.kept
    else:
        assert (kept.hub[:, 0].diff() >= 0).all()
        assert (kept.share >= 0).all()


@pytest.mark.parametrize("name", list(METHODS))
def test_at_100_percent_nothing_changes(name):
    clip = encoded()
    kept = METHODS[name](clip, 1)
    torch.testing.assert_close(kept.tokens, clip.tokens.reshape(-1, 6))


@pytest.mark.parametrize("name", list(METHODS))
def test_equal_clips_give_equal_results(name):
    first, second = METHODS[name](encoded(), 0.3), METHODS[name](encoded(), 0.3)
    assert torch.equal(first.tokens, second.tokens)
    assert torch.equal(first.share, second.share)


@given(st.integers(1, 9), retentions)
def test_frames_are_the_nearest_number_evenly_spread(frames, retention):
    clip = encoded(frames, (2, 3))
    kept = METHODS["frames"](clip, retention)
    whole = kept.hub[:, 0].unique()
    assert kept.kept == 6 * len(whole)
    target = target_count(retention, 6 * frames)
    assert all(abs(kept.kept - target) <= abs(6 * n - target) for n in range(1, frames + 1))
    gaps = whole.diff()
    assert len(whole) < 2 or (whole[0] == 0 and whole[-1] == frames - 1)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


@given(st.integers(1, 14), st.integers(1, 14), st.floats(0.2, 200))
def test_no_coarse_grid_comes_nearer(rows, cols, cells):
    r, c = coarse_grid((rows, cols), cells)
    assert 1 <= r <= rows
    assert 1 <= c <= cols
    miss = abs(r * c - cells)
    assert all(miss <= abs(i * j - cells) for i in range(1, rows + 1) for j in range(1, cols + 1))


def test_pooling_a_square_stays_square():
    kept = METHODS["pool"](encoded(2, (14, 14)), 0.25)
    assert kept.kept == 2 * 49
    first = kept.share[0].view(14, 14)
    assert (first[:2, :2] == 0).all()
    assert (first[2:4, :2] == 7).all()


def test_random_depends_on_clip_and_seed():
    from scissor.methods.random_tokens import compress

    one, other = encoded(seed=1), encoded(seed=2)
    assert not torch.equal(compress(one, 0.3).hub, compress(other, 0.3).hub)
    assert not torch.equal(compress(one, 0.3).hub, compress(one, 0.3, seed=1).hub)


def test_an_unknown_method_is_a_key_error():
    with pytest.raises(KeyError):
        METHODS["magic"]
