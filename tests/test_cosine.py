import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scissor.cosine import cosines, floor32, full_precision, refuse, unit
from scissor.graph import components

pytestmark = pytest.mark.usefixtures("one_thread")


def test_cosines_follow_the_house_rule():
    x = torch.tensor([[3.0, 0.0], [6.0, 0.0], [0.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
    expected = [
        [1, 1, 0, 0, -1],
        [1, 1, 0, 0, -1],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0],
        [-1, -1, 0, 0, 1],
    ]
    assert cosines(x).tolist() == expected
    assert cosines(x, x[:2]).tolist() == [row[:2] for row in expected]


def test_no_cosine_leaves_its_range():
    x = torch.randn(300, 50, generator=torch.Generator().manual_seed(3))
    c = cosines(torch.cat([x, -x]))
    assert (c.min(), c.max()) == (-1, 1)


def test_noise_below_one_counts_as_one_and_the_matrix_is_symmetric_to_the_bit():
    x = torch.randn(40, 700, generator=torch.Generator().manual_seed(1))
    same = torch.cat([x, x * 3.7, x + 1e-5 * x.flip(1)])
    c = cosines(same)
    assert torch.equal(c, c.T)
    assert c.max() == 1
    assert c.diagonal().eq(1).all()
    assert c[:40, 40:80].diagonal().eq(1).all()
    assert len(torch.unique(components(c, 0.999999))) == 40
    assert len(torch.unique(components(c, 1.0))) == 120


@pytest.mark.parametrize("scale", [1e-40, 1e-30, 1e-10, 1.0, 1e10, 1e25, 3e38])
def test_any_length_that_float32_holds_has_a_direction(scale):
    x = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    assert cosines(x * scale)[0, 1].item() == pytest.approx(0.6, abs=1e-4)


def test_lower_precisions_are_computed_in_float32():
    x = torch.randn(30, 64, generator=torch.Generator().manual_seed(2)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        c = cosines(x)
    assert c.dtype == torch.float32
    assert torch.equal(c, cosines(x.float()))


@pytest.mark.parametrize("before", ["tf32", "ieee"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
def test_settings_of_torch_are_put_back(device, before):
    setting = {"cpu": torch.backends.mkldnn, "cuda": torch.backends.cuda}[device].matmul
    at_first = setting.fp32_precision
    try:
        setting.fp32_precision = before
        with pytest.raises(ZeroDivisionError), full_precision(torch.device(device)):  # noqa: PT012
            assert setting.fp32_precision == "ieee"
            raise ZeroDivisionError
        assert setting.fp32_precision == before
    finally:
        setting.fp32_precision = at_first


@given(st.floats(-1, 1))
def test_floor32_keeps_strict_comparisons(tau):
    near = np.float32(tau)
    for value in (near, np.nextafter(near, np.float32(-2)), np.nextafter(near, np.float32(2))):
        assert (float(value) > tau) == bool(torch.tensor(value) > floor32(tau))


@pytest.mark.parametrize("tau", [float("nan"), 1.01, -1.5, float("inf")])
def test_a_threshold_is_a_cosine(tau):
    with pytest.raises(ValueError, match="between -1 and 1"):
        floor32(tau)


def test_what_is_not_finite_is_named_by_frame_and_token():
    x = torch.ones(3, 4, 2)
    refuse(x)
    x[1, 2, 0] = torch.inf
    x[2, 0, 1] = torch.nan
    with pytest.raises(ValueError, match="token 2 of frame 1 is NaN or infinite"):
        unit(x)
    with pytest.raises(ValueError, match="token 2 of frame 8 is"):
        refuse(x, frame=7)
    with pytest.raises(ValueError, match=r"^token 0 is"):
        unit(x[2])
