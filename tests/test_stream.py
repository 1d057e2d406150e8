import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor.scc import compress
from scissor.stream import StreamCompressor

pytestmark = pytest.mark.usefixtures("one_thread")


def clip(seed: int, frames: int, n: int = 9, width: int = 6):
    g = torch.Generator().manual_seed(seed)
    background = torch.randn(n, width, generator=g)
    x = background + 0.6 * torch.randn(frames, n, width, generator=g)
    x[frames // 2, : n // 2] = x[0, : n // 2]  # the past comes back
    return x


def pushed(x, *args, **options) -> StreamCompressor:
    stream = StreamCompressor(*args, **options)
    for frame in x:
        stream.push(frame)
    return stream


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 8),
    st.one_of(st.floats(-0.5, 1), st.sampled_from([-1.0, 0.8, 1.0])),
    st.booleans(),
    st.booleans(),
)
def test_equal_to_the_batch_while_nothing_folds(seed, frames, tau, merge, still):
    x = clip(seed, frames)
    if still:  # a frame that stays, all zero in part: nothing but ties
        x[1:] = x[0]
        x[:, 0] = 0
    batch, stream = compress(x, tau=tau, merge=merge), pushed(x, tau, 1000)
    live = stream.read(merge=merge)
    assert stream.folds == 0
    assert live.counts == batch.counts
    for name in ("spatial", "group", "share", "hub"):
        assert torch.equal(getattr(live, name), getattr(batch, name))
    torch.testing.assert_close(live.tokens, batch.tokens)
    torch.testing.assert_close(live.place, batch.place)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.sampled_from([0.2, 0.6, 0.9, 1.0]),
    st.integers(1, 30),
    st.integers(1, 5),
)
def test_memory_stays_bounded_and_the_provenance_whole(seed, count, tau, cap, frames):
    x = clip(seed, count)
    stream = StreamCompressor(tau, cap, frames)
    for t, frame in enumerate(x):
        stream.push(frame)
        live = stream.read()
        held = min(t + 1, frames)
        assert live.counts[0] == held * 9
        assert live.counts[1] <= cap
        assert 1 <= live.kept <= live.counts[1]
        assert torch.equal(stream.inputs, x[t + 1 - held : t + 1])
        assert live.tokens.isfinite().all()
        assert 0 <= live.spatial.min() <= live.spatial.max() < live.counts[1]
        for name in ("group", "share"):
            assert 0 <= getattr(live, name).min() <= getattr(live, name).max() < live.kept
        assert ((live.hub >= 0) & (live.hub < torch.tensor([held, 9]))).all()
        pairs = set(
            zip(live.spatial.flatten().tolist(), live.group.flatten().tolist(), strict=True)
        )
        assert len(pairs) == len({s for s, _ in pairs})  # a component is in one group
    whole = compress(x, tau=tau, steps="spatial").counts[1]
    assert stream.folds == max(0, whole - live.counts[1])


def test_folding_inside_groups_keeps_their_means_and_number():
    x = clip(1, 6)
    tau = 0.6
    batch = compress(x, tau=tau, merge=False)
    free = pushed(x, tau, 1000)
    cap = batch.kept  # as many as there are groups: only members of one group need to go
    stream = pushed(x[:-1], tau, 1000)
    stream.cap = cap
    stream.push(x[-1])
    live = stream.read(merge=False)
    assert stream.folds == batch.counts[1] - cap > 0
    assert live.counts[1] == live.kept == batch.kept
    torch.testing.assert_close(live.tokens, batch.tokens)
    assert torch.equal(live.group, free.read(merge=False).group)
    assert torch.equal(live.hub, batch.hub)


def test_beyond_that_the_oldest_groups_join_their_nearest():
    east, north, west = torch.eye(3)
    stream = StreamCompressor(0.9, cap=2)
    for token in (east, north + 0.5 * east, west):
        stream.push(token[None])
    live = stream.read(merge=False)
    assert stream.folds == 1
    assert live.group.flatten().tolist() == [0, 0, 1]
    torch.testing.assert_close(live.tokens, torch.stack([(1.5 * east + north) / 2, west]))


def test_old_groups_stand_in_the_oldest_frame_held():
    x = torch.eye(4)[:, None]
    live = pushed(x, 0.5, frames=2).read()
    assert live.kept == 4
    assert live.hub.tolist() == [[0, 0], [0, 0], [0, 0], [1, 0]]
    assert live.group.tolist() == [[2], [3]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_types_are_computed_in_float32(dtype):
    x = clip(3, 4).to(dtype)
    live, same = pushed(x, 0.7).read(), pushed(x.float(), 0.7).read()
    assert live.tokens.dtype == torch.float32
    assert torch.equal(live.tokens, same.tokens)


def test_nothing_pushed_nothing_kept():
    live = StreamCompressor(0.5).read()
    assert live.kept == 0
    assert live.counts == (0, 0, 0)


def test_what_does_not_fit_is_refused():
    for bad in ({"tau": 2.0}, {"tau": 0.5, "cap": 0}, {"tau": 0.5, "frames": 0}):
        with pytest.raises(ValueError, match=r"between|at least 1"):
            StreamCompressor(**bad)
    stream = pushed(clip(0, 1), 0.5)
    with pytest.raises(ValueError, match="does not fit"):
        stream.push(torch.zeros(8, 6))
    broken = torch.ones(9, 6)
    broken[4, 2] = torch.nan
    with pytest.raises(ValueError, match="token 4 of frame 1 is NaN"):
        stream.push(broken)
    assert stream.read().counts[0] == 9
