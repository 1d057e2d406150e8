"""Properties that every compressor keeps, and what the controls are."""

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scissor.methods import METHODS, Method
from scissor.methods.pool import coarse_grid
from scissor.types import Encoded, InDecoder, target_count

BEFORE = [name for name, method in METHODS.items() if not method.inside]
SELECT = ("random", "uniform", "frames", "dycoke")
MEANS = ("pool", "visionzip", "scc-even")


def encoded(frames=3, grid=(4, 5), width=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(frames, grid[0] * grid[1], width, generator=generator)
    times = torch.arange(frames).double().numpy()
    attention = torch.rand(tokens.shape[:2], generator=generator)
    return Encoded(tokens, grid, times, "test", f"clip {seed}", attention)


shapes = st.tuples(st.integers(1, 4), st.tuples(st.integers(1, 5), st.integers(1, 5)))
retentions = st.floats(0.01, 1)


@pytest.mark.parametrize("name", BEFORE)
@settings(max_examples=40)
@given(shapes, retentions, st.integers(0, 5))
def test_the_count_is_right_and_the_provenance_whole(name, shape, retention, seed):
    clip = encoded(*shape, seed=seed)
    method = METHODS[name]
    assume(method.reaches(retention, shape[0]))
    kept = method(clip, retention)
    total = clip.tokens.shape[0] * clip.tokens.shape[1]
    assert kept.counts[0] == total
    assert kept.target in (target_count(retention, total), None)
    assert kept.tokens.shape == (kept.kept, clip.tokens.shape[2])
    assert kept.hub.shape == (kept.kept, 2)
    assert kept.place.shape == (kept.kept, 3)
    assert kept.grid == clip.grid
    assert kept.method == name
    assert kept.after == 0
    if method.exact:
        assert kept.kept == target_count(retention, total)
    for label in (kept.group, kept.share):
        assert label.shape == clip.tokens.shape[:2]
        assert label.min() >= -1
        assert label.max() < kept.kept


@pytest.mark.parametrize("name", [*SELECT, *MEANS])
@settings(max_examples=40)
@given(shapes, retentions)
def test_kept_tokens_are_inputs_or_means_of_inputs_in_order(name, shape, retention):
    clip = encoded(*shape)
    assume(METHODS[name].reaches(retention, shape[0]))
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
    if name in SELECT:
        assert (kept.share >= 0).sum() == kept.kept
    else:
        assert (kept.hub[:, 0].diff() >= 0).all()


@pytest.mark.parametrize("name", BEFORE)
def test_at_100_percent_nothing_changes(name):
    clip = encoded()
    kept = METHODS[name](clip, 1)
    torch.testing.assert_close(kept.tokens, clip.tokens.reshape(-1, 6))


@pytest.mark.parametrize("name", BEFORE)
def test_equal_clips_give_equal_results(name):
    first, second = METHODS[name](encoded(), 0.4), METHODS[name](encoded(), 0.4)
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


def test_every_method_says_what_it_is():
    for name, method in METHODS.items():
        assert method.name == name
        assert method.kind in ("ours", "paper", "control", "ablation")
        assert method.title
        assert method.line.endswith(".")
        assert method.source or method.kind in ("control", "ours")
        assert not method.inside or isinstance(method(encoded(), 0.5), InDecoder)


def test_a_floor_is_a_share_of_whole_frames():
    method = Method("m", "M", "A line.", "paper", whole=4, home="random_tokens:compress")
    assert [method.floor(frames) for frames in (1, 4, 6, 8)] == [1, 0.25, 1 / 3, 0.25]
    assert method.reaches(0.25, 8)
    assert not method.reaches(0.24, 8)
    assert method(encoded(8), 0.25).kept == 40
    with pytest.raises(ValueError, match="at least 25%"):
        method(encoded(8), 0.2)
    assert METHODS["scc"].reaches(0.001, 8)


def test_attention_that_was_not_asked_for_is_named():
    method = Method("m", "M", "A line.", "paper", needs_attention=True, home="frames:compress")
    clip = replace(encoded(), attention=None)
    with pytest.raises(ValueError, match="attention=True"):
        method(clip, 0.5)
    assert method(encoded(), 0.5).kept == 40


@given(st.integers(1, 6), retentions)
def test_uniform_tokens_stand_in_equal_steps(frames, retention):
    hub = METHODS["uniform"](encoded(frames, (2, 5)), retention).hub
    at = hub[:, 0] * 10 + hub[:, 1]
    gaps = at.diff()
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1
    assert abs(int(at[0]) - (10 * frames - 1 - int(at[-1]))) <= 1


def test_a_variant_of_scc_leaves_its_part_out():
    clip = encoded(4, (5, 5))
    one = METHODS["scc-spatial"](clip, 0.2)
    first = torch.arange(4)[:, None].expand(4, 25)
    assert torch.equal(one.hub[one.group][..., 0], first)
    assert METHODS["scc-spatial"](clip, 0.01).kept == 4
    two = METHODS["scc-temporal"](clip, 0.2)
    assert torch.equal(two.spatial.flatten(), torch.arange(100))
    plain = METHODS["scc-unmerged"](clip, 0.2)
    assert torch.equal(plain.share, plain.group)
    assert torch.equal(plain.group, METHODS["scc"](clip, 0.2).group)
