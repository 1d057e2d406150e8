"""What makes each compressor of another paper what it is."""

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn.functional import adaptive_avg_pool3d, cosine_similarity

from scissor.methods import METHODS
from scissor.methods.parts import evenly
from scissor.methods.pllava import NEAR, pooled_size
from scissor.types import Encoded, InDecoder, target_count


def encoded(frames=4, grid=(4, 5), width=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(frames, grid[0] * grid[1], width, generator=generator)
    attention = torch.rand(tokens.shape[:2], generator=generator)
    times = torch.arange(frames).double().numpy()
    return Encoded(tokens, grid, times, "test", f"clip {seed}", attention)


@given(st.integers(0, 300), st.integers(1, 40))
def test_even_parts_sum_up_and_differ_by_one_at_most(count, parts):
    found = evenly(count, parts)
    assert sum(found) == count
    assert len(found) == parts
    assert max(found) - min(found) <= 1


@settings(max_examples=60)
@given(st.integers(1, 5), st.floats(0.01, 1), st.integers(0, 9))
def test_visionzip_keeps_what_is_attended_to_and_averages_the_rest(frames, retention, seed):
    clip = encoded(frames, seed=seed)
    kept = METHODS["visionzip"](clip, retention)
    size = torch.bincount(kept.share[kept.share >= 0], minlength=kept.kept)
    assert int(size.sum()) == int((kept.share >= 0).sum())
    target = target_count(retention, 20 * frames)
    merged = round(target * 10 / 64)
    for t in range(frames):
        mine = (kept.hub[:, 0] == t).nonzero().flatten()
        # as many of the most attended patches stand alone as the frame has dominant tokens
        dominant = evenly(target - merged, frames)[t]
        best = clip.attention[t].argsort(descending=True)[:dominant]
        alone = kept.share[t, best]
        assert (size[alone] == 1).all()
        assert len(mine) - dominant == evenly(merged, frames)[::-1][t]
        others = set(range(20)) - set(best.tolist())
        gone = kept.share[t, sorted(others)] < 0
        assert gone.all() if len(mine) == dominant else not gone.any()


def test_visionzip_sends_a_patch_to_the_centre_it_is_most_like():
    clip = encoded(1, (6, 6), seed=3)
    kept = METHODS["visionzip"](clip, 20 / 36)
    size = torch.bincount(kept.share.flatten(), minlength=20)
    best = set(clip.attention[0].argsort(descending=True)[:17].tolist())
    centres = [j for j in range(20) if int(kept.hub[j, 1]) not in best]
    assert len(centres) == 3
    assert int(size[centres].sum()) == 19
    hubs = clip.tokens[0, kept.hub[centres, 1]]
    for n in set(range(36)) - best - {int(kept.hub[j, 1]) for j in centres}:
        likeness = cosine_similarity(clip.tokens[0, n][None], hubs)
        assert int(kept.share[0, n]) == centres[int(likeness.argmax())]


def test_visionzip_wants_attention():
    with pytest.raises(ValueError, match="attention=True"):
        METHODS["visionzip"](replace(encoded(), attention=None), 0.5)


@settings(max_examples=60)
@given(st.integers(1, 5), st.tuples(st.integers(1, 5), st.integers(1, 6)), st.floats(0.02, 1))
def test_pllava_is_adaptive_pooling(frames, grid, retention):
    clip = encoded(frames, grid)
    kept = METHODS["pllava"](clip, retention)
    size = pooled_size((frames, *grid), target_count(retention, frames * grid[0] * grid[1]))
    block = clip.tokens.permute(2, 0, 1).reshape(1, 6, frames, *grid)
    want = adaptive_avg_pool3d(block, size)[0].flatten(1).T
    torch.testing.assert_close(kept.tokens, want)
    flat = kept.share.flatten()
    assert torch.equal(flat.unique(), torch.arange(kept.kept))
    spots = torch.zeros(kept.kept, 3).index_add_(0, flat, clip.places)
    spots /= torch.bincount(flat)[:, None]
    assert (spots - kept.place).abs().max() <= 1
    hub = kept.hub[:, 0] * clip.tokens.shape[1] + kept.hub[:, 1]
    assert torch.equal(flat[hub], torch.arange(kept.kept))


@given(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)), st.floats(0.01, 1))
def test_no_pooled_size_is_much_nearer_to_the_target(whole, retention):
    total = whole[0] * whole[1] * whole[2]
    target = target_count(retention, total)
    t, r, c = pooled_size(whole, target)
    assert all(1 <= n <= m for n, m in zip((t, r, c), whole, strict=True))
    sizes = [
        i * j * k
        for i in range(1, whole[0] + 1)
        for j in range(1, whole[1] + 1)
        for k in range(1, whole[2] + 1)
    ]
    least = min(abs(n - target) for n in sizes)
    assert abs(t * r * c - target) <= max(least, NEAR * target)


def test_pooled_sizes_keep_the_clips_shape():
    assert pooled_size((8, 14, 14), 157) == (4, 5, 8)
    assert pooled_size((8, 14, 14), 196) == (4, 7, 7)
    assert pooled_size((8, 14, 14), 8 * 196) == (8, 14, 14)
    assert pooled_size((1, 14, 14), 1) == (1, 1, 1)


@settings(max_examples=60)
@given(st.integers(1, 10), st.floats(0.2, 1), st.integers(0, 9))
def test_dycoke_drops_what_is_most_like_the_frame_it_repeats(frames, retention, seed):
    method = METHODS["dycoke"]
    assume(method.reaches(retention, frames))
    clip = encoded(frames, seed=seed)
    kept = method(clip, retention)
    counts = []
    for t in range(frames):
        stays = kept.share[t] >= 0
        earlier = {0: t, 1: t - 1, 2: t - 2, 3: t - 1}[t % 4]
        if earlier == t:
            assert stays.all()
            continue
        counts.append(int(stays.sum()))
        likeness = cosine_similarity(clip.tokens[t], clip.tokens[earlier])
        if 0 < counts[-1] < 20:
            assert likeness[stays].max() <= likeness[~stays].min() + 1e-6
    assert not counts or max(counts) - min(counts) <= 1


def test_dycoke_ends_at_its_floor():
    clip = encoded(8)
    assert METHODS["dycoke"](clip, 0.25).kept == 40
    with pytest.raises(ValueError, match="at least 25%"):
        METHODS["dycoke"](clip, 0.1)


def test_fastv_prunes_after_two_layers_or_as_early_as_the_family_can():
    assert METHODS["fastv"](encoded(), 0.3) == InDecoder(2, 0.3)
    late = replace(encoded(), extras={"prune_from": 3})
    assert METHODS["fastv"](late, 0.3) == InDecoder(3, 0.3)
    with pytest.raises(ValueError, match="at most 1"):
        METHODS["fastv"](late, 1.2)
