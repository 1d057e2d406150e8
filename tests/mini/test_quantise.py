"""Few bits and back: what is rounded in training is, to the bit, what is loaded."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tinymini import tiny_mini

from scissor.mini.quantise import (
    dequantise,
    fake_quantise,
    plain_state,
    quantise,
    round_weight,
    spec_of,
    start_rounding,
    stop_rounding,
)

SPECS = st.sampled_from([(2, 4), (3, 8), (4, 32), (4, 0), (5, 16), (6, 32), (8, 0), (16, 0)])


@st.composite
def weights(draw):
    rows, cols = draw(st.integers(1, 5)), draw(st.sampled_from([1, 3, 8, 32, 64]))
    torch.manual_seed(draw(st.integers(0, 999)))
    weight = torch.randn(rows, cols) * 10 ** draw(st.floats(-4, 2))
    return weight * (torch.rand(rows, cols) > draw(st.sampled_from([0.0, 0.5, 1.0])))


@settings(max_examples=80, deadline=None)
@given(weight=weights(), spec=SPECS)
def test_rounding_is_what_saving_and_loading_does(weight, spec):
    rounded = round_weight(weight, spec)
    loaded = dequantise(quantise({"w": weight}, {"": spec}), {"w": weight.shape}, {"": spec})["w"]
    assert torch.equal(rounded, loaded)
    assert torch.equal(fake_quantise(weight, spec), loaded)


@settings(max_examples=80, deadline=None)
@given(weight=weights(), spec=SPECS)
def test_rounding_twice_changes_nothing_and_stays_near(weight, spec):
    rounded = round_weight(weight, spec)
    if spec[0] >= 4:
        assert torch.equal(round_weight(rounded, spec), rounded)
    span = weight.abs().amax()
    step = span / 2 ** (spec[0] - 1)
    assert ((rounded - weight).abs() <= 1.1 * step + 1e-3 * span).all()


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (6, 1, 5, 5), (3, 7), (5, 1)])
def test_any_shape_comes_back(shape):
    weight = torch.randn(shape)
    stored = quantise({"w": weight}, {"": (8, 0)})
    loaded = dequantise(stored, {"w": weight.shape}, {"": (8, 0)})["w"]
    assert loaded.shape == weight.shape
    torch.testing.assert_close(loaded, weight, atol=0.05, rtol=0)


def test_bits_are_what_they_say():
    weight = torch.randn(64, 576)
    stored = quantise({"w": weight}, {"": (4, 32)})
    size = sum(part.numel() * part.element_size() for part in stored.values())
    assert size == weight.numel() * 4.25 / 8 + 4


def test_vectors_stay_exact_and_the_longest_prefix_rules():
    vector = torch.randn(7)
    assert torch.equal(quantise({"v": vector}, {"": (4, 32)})["v"], vector)
    bits = {"": (8, 0), "a": (4, 32), "a.b": (6, 32)}
    assert spec_of("a.b.c", (2, 2), bits) == (6, 32)
    assert spec_of("a.c", (2, 2), bits) == (4, 32)
    assert spec_of("z", (2, 2), bits) == (8, 0)
    assert spec_of("a.b.c", (2,), bits) is None


def test_gradients_pass_straight_through():
    weight = torch.randn(4, 32, requires_grad=True)
    factor = torch.randn(4, 32)
    (fake_quantise(weight, (4, 32)) * factor).sum().backward()
    assert torch.equal(weight.grad, factor)


def test_a_rounded_model_computes_as_the_stored_one_and_is_undone():
    model, bits = tiny_mini(), tiny_mini().config.bits
    ids = torch.arange(5)[None]
    frames = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    before = {name: weight.clone() for name, weight in plain_state(model).items()}
    plain = model.decoder(ids).logits
    parameters = {id(parameter) for parameter in model.parameters()}

    start_rounding(model, bits)
    rounded, tokens = model.decoder(ids).logits, model.encode(frames)
    assert {id(parameter) for parameter in model.parameters()} == parameters
    assert plain_state(model).keys() == before.keys()
    assert not torch.equal(rounded, plain)

    stored = tiny_mini()
    shapes = {name: weight.shape for name, weight in before.items()}
    weights = dequantise(quantise(plain_state(model), bits), shapes, bits)
    stored.load_state_dict(weights, strict=False)
    assert torch.equal(stored.decoder(ids).logits, rounded)
    assert torch.equal(stored.encode(frames), tokens)

    stop_rounding(model)
    assert torch.equal(model.decoder(ids).logits, plain)
    assert all(torch.equal(weight, before[name]) for name, weight in plain_state(model).items())
    assert model.decoder.lm_head.weight is model.decoder.model.embed_tokens.weight


def test_a_step_under_rounding_keeps_the_head_tied():
    model = tiny_mini().requires_grad_(True)
    start_rounding(model, model.config.bits)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    ids = torch.arange(6)[None]
    first = model.decoder(ids, labels=ids).loss
    first.backward()
    optimiser.step()
    stop_rounding(model)
    assert model.decoder.lm_head.weight is model.decoder.model.embed_tokens.weight
    assert model.decoder(ids, labels=ids).loss < first
