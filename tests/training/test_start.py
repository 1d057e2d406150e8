"""Public weights cut to size: blocks, folded norms, a vocabulary closed under merging."""

import struct
from itertools import pairwise

import numpy as np
import pytest
import torch
from tinymini import tiny_config, tiny_mini
from tokenizers import Tokenizer
from torch.nn import functional as F

from scissor.mini.quantise import plain_state
from scissor.mini.tower import SameConv, Tower
from scissor.training import launch
from scissor.training.start import (
    LAYERS,
    SPECIAL,
    byte_symbols,
    cut_decoder,
    cut_vocabulary,
    fold_tower,
    from_q4_1,
    from_q8_0,
    tokenizer_json,
)


def test_q4_1_blocks_are_scale_times_nibble_plus_least():
    rng = np.random.default_rng(0)
    blocks = [(0.5, -1.25, rng.integers(0, 256, 16)), (2.0, 3.0, rng.integers(0, 256, 16))]
    raw = b"".join(
        struct.pack("<2e16B", scale, least, *nibbles) for scale, least, nibbles in blocks
    )
    want = []
    for scale, least, nibbles in blocks:
        want += [scale * (byte % 16) + least for byte in nibbles]
        want += [scale * (byte // 16) + least for byte in nibbles]
    rows = torch.frombuffer(bytearray(raw), dtype=torch.uint8)[None]
    assert from_q4_1(rows).tolist() == [want]


def test_q8_0_blocks_are_scale_times_signed_byte():
    values = np.random.default_rng(1).integers(-128, 128, 32)
    raw = struct.pack("<e32b", 0.25, *values)
    rows = torch.frombuffer(bytearray(raw), dtype=torch.uint8)[None]
    assert from_q8_0(rows).tolist() == [[0.25 * value for value in values]]


def test_kept_layers_are_the_first_three_then_even_to_the_last():
    assert LAYERS[:3] == (0, 1, 2)
    assert LAYERS[-1] == 29
    assert {b - a for a, b in pairwise(LAYERS[2:])} == {3}


class FakeTensor:
    def __init__(self, name, data):
        self.name, self.data = name, data


class FakeFile:
    """A GGUF file's reader: every weight tells its layer; queries and keys tell their rows."""

    def __init__(self, heads, width):
        rows = {"attn_q": heads[0], "attn_k": heads[1]}
        parts = "attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down"
        self.tensors = [
            FakeTensor("token_embd.weight", np.arange(8)[:, None]),
            FakeTensor("output_norm.weight", np.zeros(2)),
        ]
        for layer in range(30):
            for part in parts.split():
                count = rows.get(part, 1) * width
                data = np.arange(count)[:, None] + 1000 * layer
                self.tensors.append(FakeTensor(f"blk.{layer}.{part}.weight", data))


def test_queries_and_keys_get_their_halves_back():
    config = tiny_config()
    heads = config.decoder["num_attention_heads"], config.decoder["num_key_value_heads"]
    out = cut_decoder(FakeFile(heads, 6), torch.tensor([3, -1, 5]), config)
    assert out["model.embed_tokens.weight"].flatten().tolist()[::2] == [3, 5]
    for new, old in enumerate(LAYERS):
        for part, count in zip(("q_proj", "k_proj"), heads, strict=True):
            rows = out[f"model.layers.{new}.self_attn.{part}.weight"].flatten() - 1000 * old
            # llama.cpp keeps (x0, x3, x1, x4, ...): row 2i is the i-th of the first half
            for head in range(count):
                own = rows[6 * head : 6 * head + 6] - 6 * head
                assert own.tolist() == [0, 2, 4, 1, 3, 5]


def public_tower(config):
    """A checkpoint as the public one, random, for a tower of this configuration."""
    state = {}

    def conv(name, weight, norm):
        state[f"{name}.weight"] = weight
        width = len(weight)
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.rand(width) + 0.5, torch.randn(width)
        state[f"{norm}.running_mean"] = torch.randn(width)
        state[f"{norm}.running_var"] = torch.rand(width) + 0.1

    conv("_conv_stem", torch.randn(config.stem, 3, 3, 3) * 0.2, "_bn0")
    inputs, block = config.stem, 0
    for repeats, kernel, _, expansion, width in config.stages:
        for _ in range(repeats):
            here, wide = f"_blocks.{block}", inputs * expansion
            if expansion > 1:
                conv(f"{here}._expand_conv", torch.randn(wide, inputs, 1, 1) * 0.3, f"{here}._bn0")
            conv(f"{here}._depthwise_conv", torch.randn(wide, 1, kernel, kernel), f"{here}._bn1")
            conv(f"{here}._project_conv", torch.randn(width, wide, 1, 1) * 0.2, f"{here}._bn2")
            inputs, block = width, block + 1
    conv("_conv_head", torch.randn(config.head, inputs, 1, 1), "_bn1")
    state["_fc.weight"] = torch.randn(config.classes, config.head)
    state["_fc.bias"] = torch.randn(config.classes)
    return state


def slow_tower(state, config, frames):
    """EfficientNet-Lite0 with its batch normalisation, as published: the last stage's map."""

    def conv(x, name, norm, stride, groups=1):
        weight = state[f"{name}.weight"]
        same = SameConv(x.shape[1], len(weight), weight.shape[-1], stride, groups)
        same.load_state_dict({"weight": weight, "bias": torch.zeros(len(weight))})
        mean, variance = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        scale, shift = state[f"{norm}.weight"], state[f"{norm}.bias"]
        return F.batch_norm(same(x), mean, variance, scale, shift, eps=1e-3)

    x = (frames.permute(0, 3, 1, 2).float() - 127) / 128
    x, block = F.relu6(conv(x, "_conv_stem", "_bn0", 2)), 0
    for repeats, _, stride, expansion, width in config.stages:
        for repeat in range(repeats):
            here, y = f"_blocks.{block}", x
            step = stride if repeat == 0 else 1
            if expansion > 1:
                y = F.relu6(conv(y, f"{here}._expand_conv", f"{here}._bn0", 1))
            y = F.relu6(conv(y, f"{here}._depthwise_conv", f"{here}._bn1", step, y.shape[1]))
            y = conv(y, f"{here}._project_conv", f"{here}._bn2", 1)
            x = x + y if step == 1 and x.shape[1] == width else y
            block += 1
    return x


def test_folding_the_norms_changes_nothing():
    torch.manual_seed(0)
    config = tiny_config()
    state = public_tower(config)
    frames = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    tower = Tower(config)
    folded = fold_tower(state, config)
    tower.load_state_dict({name.removeprefix("tower."): w for name, w in folded.items()})
    with torch.inference_mode():
        want, got = slow_tower(state, config, frames), tower.maps(frames)[-1]
        torch.testing.assert_close(got, want, atol=1e-3 * want.abs().max().item(), rtol=1e-3)


def test_a_model_begins_with_the_public_tower_again(tmp_path, monkeypatch):
    torch.manual_seed(0)
    wide = launch.widen(tiny_mini(), ["boat", "cat"])
    before = {name: weight.clone() for name, weight in plain_state(wide).items()}
    state = public_tower(wide.config)
    torch.save(state, tmp_path / "public.pth")
    monkeypatch.setattr(launch, "load", lambda: wide)
    model = plain_state(launch.begin(tmp_path, ["boat", "cat"], True, tmp_path / "public.pth"))
    for name, weight in fold_tower(state, wide.config).items():
        assert torch.equal(model[name], weight)
    rest = [n for n in model if not n.startswith("tower.") or n.startswith("tower.branch")]
    assert all(torch.equal(model[name], before[name]) for name in rest)


MERGES = [
    ("t", "h"), ("th", "e"), ("Ġ", "the"), ("a", "t"), ("c", "at"), ("Ġ", "cat"),
    ("d", "o"), ("do", "g"), ("Ġ", "dog"), ("e", "r"),
]  # fmt: skip


@pytest.fixture(scope="module")
def tokens():
    return [*SPECIAL, *byte_symbols(), *(left + right for left, right in MERGES)]


def test_the_vocabulary_is_closed_and_keeps_every_byte(tokens):
    kept = cut_vocabulary(tokens, MERGES, ["Ġdog", "cat"], 259 + 5)
    assert set(kept) == {*SPECIAL, *byte_symbols(), "Ġdog", "dog", "do", "cat", "at"}
    assert kept[:3] == list(SPECIAL)


def test_a_token_that_does_not_fit_leaves_room_for_others(tokens):
    kept = cut_vocabulary(tokens, MERGES, ["Ġthe", "er"], 259 + 1)
    assert "er" in kept
    assert "th" not in kept


def test_bytes_the_public_vocabulary_lacks_are_added(tokens):
    kept = cut_vocabulary([t for t in tokens if t != "ñ"], MERGES, [], 300)
    assert len(set(byte_symbols()) - set(kept)) == 0


def test_texts_of_kept_tokens_are_cut_as_before(tokens):
    kept = cut_vocabulary(tokens, MERGES, ["Ġdog", "Ġcat"], 300)
    whole = Tokenizer.from_str(_json(tokens))
    cut = Tokenizer.from_str(_json(kept))
    for text in (" dog cat", "dog", " cat dog", "a dogcat 12"):
        assert cut.encode(text).tokens == whole.encode(text).tokens
    assert cut.decode(cut.encode(" the ñ 12 dogs").ids) == " the ñ 12 dogs"


def _json(kept):
    import json

    return json.dumps(tokenizer_json(kept, MERGES))
