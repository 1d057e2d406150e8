"""Many questions in one pass are the same as each one by itself in transformers."""

import pytest
import torch
from tinymini import tiny_config

from scissor.mini.decoder import build_decoder
from scissor.training.decode import many_questions, question_mask

BATCH, PREFIX = 2, 7


def decoder_and_inputs(questions, length):
    torch.manual_seed(questions)
    decoder = build_decoder(tiny_config())
    prefix = torch.randn(BATCH, PREFIX, decoder.config.hidden_size, requires_grad=True)
    ids = torch.randint(0, decoder.config.vocab_size, (BATCH, questions, length))
    return decoder, prefix, ids


def one_by_one(decoder, prefix, ids):
    table = decoder.get_input_embeddings()
    rows = [
        decoder.model(inputs_embeds=torch.cat([before, table(one)])[None]).last_hidden_state[0]
        for before, row in zip(prefix, ids, strict=True)
        for one in row
    ]
    return torch.stack(rows)[:, PREFIX:].unflatten(0, ids.shape[:2])


@pytest.mark.parametrize(("questions", "length"), [(1, 1), (1, 6), (3, 5)])
def test_each_question_is_read_as_if_it_were_alone(questions, length):
    decoder, prefix, ids = decoder_and_inputs(questions, length)
    hidden = many_questions(decoder, prefix, ids)
    assert hidden.shape == (BATCH, questions, length, decoder.config.hidden_size)
    torch.testing.assert_close(hidden, one_by_one(decoder, prefix, ids), atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_separate_passes():
    decoder, prefix, ids = decoder_and_inputs(3, 4)
    wanted = [prefix, *decoder.model.parameters()]
    weight = torch.randn(BATCH, 3, 4, decoder.config.hidden_size)
    both = [
        torch.autograd.grad((f(decoder, prefix, ids) * weight).sum(), wanted)
        for f in (many_questions, one_by_one)
    ]
    for together, alone in zip(*both, strict=True):
        assert together.abs().max() > 0
        torch.testing.assert_close(together, alone, atol=1e-4 * float(alone.abs().max()), rtol=0)


def test_what_follows_changes_nothing_before():
    decoder, prefix, ids = decoder_and_inputs(2, 5)
    padded = torch.cat([ids, torch.full((BATCH, 2, 3), 2)], 2)
    torch.testing.assert_close(
        many_questions(decoder, prefix, padded)[:, :, :5], many_questions(decoder, prefix, ids)
    )


def test_the_mask_shows_the_clip_and_the_own_past():
    mask = question_mask(3, 2, 4, torch.device("cpu"))
    assert mask.shape == (8, 11)
    for q in range(2):
        for i in range(4):
            seen = {0, 1, 2, *(3 + 4 * q + j for j in range(i + 1))}
            assert set(mask[4 * q + i].nonzero().flatten().tolist()) == seen
