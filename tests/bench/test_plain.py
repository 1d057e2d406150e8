import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scissor.bench import plain


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 9), st.floats(-1, 1))
def test_both_baselines_say_the_same(seed, frames, n, tau):
    x = np.random.default_rng(seed).normal(size=(frames, n, 3))
    a, b = plain.compress(x, tau), plain.compress_scipy(x, tau)
    assert a.counts == b.counts
    for name in ("spatial", "group", "share", "hub"):
        assert np.array_equal(getattr(a, name), getattr(b, name))
    np.testing.assert_allclose(a.tokens, b.tokens, atol=1e-12)


def test_by_hand():
    """Two frames: a pair and a single each; the singles are alike across the frames."""
    east, north = [1.0, 0.0], [0.0, 1.0]
    x = np.array([[east, [2.0, 0.0], north], [north, [-1.0, 0.0], [-3.0, 0.0]]])
    found = plain.compress(x, 0.5)
    assert found.counts == (6, 4, 3)
    assert found.spatial.tolist() == [[0, 0, 1], [2, 3, 3]]
    assert found.group.tolist() == [[0, 0, 1], [1, 2, 2]]
    assert found.hub.tolist() == [[0, 0], [0, 2], [1, 1]]
    assert found.kept.tolist() == [[1.5, 0], [0, 1], [-2, 0]]
    assert found.tokens.tolist() == [[1.5, 0], [0, 1], [-2, 0]]
    assert plain.margin(x, 0.5, found) == 0.5
