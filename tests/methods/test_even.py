"""Groups grow evenly among neighbours; where all are neighbours they are Ward's."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster import hierarchy

from scissor.graph import unit
from scissor.methods import METHODS
from scissor.methods.even import EVENNESS, grow, neighbours
from scissor.types import Encoded


def encoded(frames=3, grid=(4, 5), width=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(frames, grid[0] * grid[1], width, generator=generator)
    times = torch.arange(frames).double().numpy()
    return Encoded(tokens, grid, times, "test", f"clip {seed}")


@settings(max_examples=25)
@given(st.integers(3, 14), st.integers(0, 9))
def test_where_all_are_neighbours_and_evenness_is_one_it_is_wards_clustering(count, seed):
    units = unit(torch.randn(count, 4, generator=torch.Generator().manual_seed(seed)))
    i, j = torch.combinations(torch.arange(count)).T
    tree = grow(units, i, j, 1.0)
    linkage = hierarchy.linkage(units.double().numpy(), "ward")
    torch.testing.assert_close(
        tree.loss.sort().values.double(),
        torch.from_numpy(linkage[:, 2] ** 2 / 2),
        rtol=1e-4,
        atol=1e-6,
    )
    for left in range(1, count + 1):
        want = hierarchy.fcluster(linkage, left, "maxclust")
        roots = tree.groups(left).numpy()
        assert len(set(roots)) == len(set(want)) == len(set(zip(roots, want, strict=True))) == left


@settings(max_examples=40)
@given(
    st.integers(1, 4),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.floats(0.02, 0.9),
    st.integers(0, 9),
)
def test_every_group_hangs_together_in_space_and_time(frames, grid, retention, seed):
    kept = METHODS["scc-even"](encoded(frames, grid, seed=seed), retention)
    i, j = neighbours(frames, grid)
    share = kept.share.flatten()
    inside = share[i] == share[j]
    from scissor.union import unite

    roots = unite(torch.arange(len(share)), i[inside], j[inside])
    assert len(roots.unique()) == kept.kept
    assert kept.moved == 0


def test_a_still_clip_becomes_groups_of_like_size():
    still = torch.ones(4, 36, 5)
    clip = Encoded(still, (6, 6), torch.arange(4).double().numpy(), "test", "still")
    kept = METHODS["scc-even"](clip, 1 / 12)
    assert kept.kept == 12
    torch.testing.assert_close(kept.tokens, still[:, :3].flatten(0, 1))


def test_evenness_keeps_groups_from_growing_huge():
    angle = torch.cat([torch.linspace(0, 1, 300), torch.linspace(1, 3, 100)])
    units = unit(torch.stack([angle.cos(), angle.sin()], 1))
    i, j = torch.arange(399), torch.arange(1, 400)
    largest = [
        int(torch.bincount(grow(units, i, j, evenness).groups(20)).max())
        for evenness in (0.0, 1.0, EVENNESS)
    ]
    assert largest[0] > largest[1] > largest[2]
    assert largest[2] < 2 * 400 / 20


@pytest.mark.parametrize("count", [1, 7, 59, 60])
def test_one_tree_serves_every_count(count):
    clip = encoded()
    tree = grow(unit(clip.tokens).flatten(0, 1), *neighbours(3, (4, 5)))
    assert len(tree.groups(count).unique()) == count
    assert (tree.loss >= 0).all()
