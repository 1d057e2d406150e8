import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor import merge
from scissor.bench.features import features
from scissor.cosine import similarities, unit
from scissor.merge import merged, share_places
from scissor.steps import Plan, prepare, spatial_step, temporal_step
from scissor.tiles import nearest

pytestmark = pytest.mark.usefixtures("one_thread")


def both(clip, tau):
    one = spatial_step(clip, Plan(), tau)
    return one, temporal_step(one, Plan(), tau)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.integers(1, 10),
    st.integers(1, 3),
)
def test_bounds_never_exclude_a_nearer_token(seed, frames, n, width):
    """In a plane angles add up exactly: the bounds are as tight as they can be.

    So they are for two tokens just not alike enough: tau is one of the similarities.
    """
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(frames, n, width, generator=g) + torch.randn(width, generator=g)
    clip = prepare(x * torch.rand(frames, n, 1, generator=g))
    similar = similarities(clip.units.flatten(0, 1)).flatten()
    tau = float(similar[torch.randint(0, len(similar), (), generator=g)])
    one, two = both(clip, tau)
    units, anchors = clip.units.flatten(0, 1), unit(two.tokens)
    own, similar, floor, reach = merge._bounds(units, anchors, one, two)
    exact = units.double() @ anchors.double().T
    nearer = exact >= exact.gather(1, own[:, None])
    nearer.scatter_(1, own[:, None], False)
    assert (reach >= floor[:, None])[nearer].all()
    torch.testing.assert_close(
        similar.double(), exact.gather(1, own[:, None])[:, 0], atol=3e-6, rtol=0
    )


@pytest.mark.parametrize("tau", [0.91, 0.93, 0.96, 0.98])
def test_the_merge_with_bounds_is_the_merge_without(tau):
    clip = prepare(features(6, 48, seed=2))
    one, two = both(clip, tau)
    units, anchors = clip.units.flatten(0, 1), unit(two.tokens)
    assert merge._worth_bounding(units, one, two, Plan())
    two_best = similarities(units, anchors).topk(2, dim=1).values
    sure = two_best[:, 0] - two_best[:, 1] > 1e-6
    share = merged(clip, one, two, Plan())[1]
    assert torch.equal(share[sure], nearest(units, anchors)[sure])
    assert sure.float().mean() > 0.99


@pytest.mark.parametrize("scale", [1e-30, 1e25])
def test_lengths_whose_squares_leave_float32_change_no_share(scale):
    x = features(3, 48, seed=2)
    shares = []
    for clip in (prepare(x), prepare(x * scale)):
        one, two = both(clip, 0.96)
        assert merge._worth_bounding(clip.units.flatten(0, 1), one, two, Plan())
        shares.append(merged(clip, one, two, Plan())[1])
    assert (shares[0] == shares[1]).float().mean() > 0.99  # rounding differs


def test_a_share_stands_at_its_mean_and_an_empty_one_at_its_hub():
    share, hub = torch.tensor([0, 0, 0, 2, 0, 0, 0, 0]), torch.tensor([0, 6, 3])
    found = share_places(share, hub, 2, (2, 2))
    expected = [[4 / 7, 3 / 7, 3 / 7], [1, 1, 0], [0, 1, 1]]
    torch.testing.assert_close(found, torch.tensor(expected))
