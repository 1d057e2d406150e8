"""The parts as one module."""

import torch
from tinymini import NAMES, tiny_mini


def test_frames_become_tokens_of_the_decoders_width():
    model = tiny_mini()
    frames = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    tokens, received = model.encode_with_attention(frames)
    assert tokens.shape == (2, 16, 32)
    assert received.shape == (2, 16)
    assert torch.equal(tokens, model.encode(frames))


def test_class_names_are_embedded_by_the_decoders_own_table():
    model = tiny_mini()
    words = model.names(model.table)
    ids = model.tokenizer.encode(" " + NAMES[0], add_special_tokens=False)
    torch.testing.assert_close(words[0], model.table[ids].mean(0))
