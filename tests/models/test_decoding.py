from contextlib import contextmanager, nullcontext

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor.models.decoding import (
    Run,
    decode,
    end_tokens,
    greedy,
    kept_order,
    log_probabilities,
    pruning,
    splice,
    text_pieces,
    visual_rows,
)
from scissor.types import Compression, Encoded, InDecoder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def prompt(decoder):
    torch.manual_seed(1)
    before, after = torch.randint(0, 200, (2, 7))
    return splice(decoder, [before, torch.randn(11, 32), after])


def test_splice_puts_text_and_visual_rows_in_order(decoder):
    before, visual, after = torch.tensor([3, 1]), torch.randn(3, 32), torch.tensor([4])
    prompt = splice(decoder, [before, visual[:1], after, visual[1:]])
    table = decoder.get_input_embeddings().weight
    assert prompt.visual.tolist() == [2, 4, 5]
    assert torch.equal(prompt.embeds[0, prompt.visual], visual)
    assert torch.equal(prompt.embeds[0, [0, 1, 3]], table[[3, 1, 4]])
    assert len(prompt) == 6


def test_greedy_equals_generate(decoder, prompt):
    want = decoder.generate(
        inputs_embeds=prompt.embeds,
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=20,
        do_sample=False,
    )[0].tolist()
    assert len(set(want)) > 2
    assert list(greedy(decoder, prompt, [], max_new_tokens=20)) == want
    assert (
        list(greedy(decoder, prompt, [want[4]], max_new_tokens=20))
        == (want[: want.index(want[4]) + 1])
    )


def test_positions_given_equal_positions_counted(decoder, prompt):
    placed = splice(decoder, [prompt.embeds[0]], positions=torch.arange(len(prompt))[None])
    want = list(greedy(decoder, prompt, [], max_new_tokens=8))
    assert list(greedy(decoder, placed, [], max_new_tokens=8)) == want


def test_the_answer_goes_on_after_the_largest_position(decoder, prompt):
    positions = torch.arange(len(prompt))[None] * 3
    placed = splice(decoder, [prompt.embeds[0]], positions=positions)
    ids = torch.tensor([5, 9, 2])
    rows = torch.cat([prompt.embeds[0], decoder.get_input_embeddings()(ids)])
    last = int(positions.max())
    whole = torch.cat([positions[0], torch.tensor([last + 1, last + 2, last + 3])])
    with torch.inference_mode():
        logits = decoder(inputs_embeds=rows[None], position_ids=whole[None]).logits[0]
    want = logits[len(prompt) - 1 : -1].log_softmax(-1)
    torch.testing.assert_close(log_probabilities(decoder, placed, ids), want, atol=1e-5, rtol=1e-5)


def test_log_probabilities_equal_one_forward_over_everything(decoder, prompt):
    ids = torch.tensor([7, 30, 30, 2])
    rows = torch.cat([prompt.embeds[0], decoder.get_input_embeddings()(ids)])
    with torch.inference_mode():
        logits = decoder(inputs_embeds=rows[None]).logits[0]
    want = logits[len(prompt) - 1 : -1].log_softmax(-1)
    got = log_probabilities(decoder, prompt, ids)
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)
    assert log_probabilities(decoder, prompt, ids[:1]).shape == (1, want.shape[1])
    assert log_probabilities(decoder, prompt, ids[:0]).shape == (0, want.shape[1])


def test_stop_is_asked_before_every_token(decoder, prompt):
    asked = []

    def stop():
        asked.append(True)
        return len(asked) == 4

    assert len(list(greedy(decoder, prompt, [], max_new_tokens=20, stop=stop))) == 3
    assert list(greedy(decoder, prompt, [], stop=lambda: True)) == []


def test_every_forward_call_stands_in_the_context(decoder, prompt):
    log = []

    @contextmanager
    def around(cache):
        log.append("in")
        yield
        log.append("out")

    list(greedy(decoder, prompt, [], max_new_tokens=3, around=around))
    assert log == ["in", "out"] * 3


def test_reading_a_stream_leaves_gradients_on(decoder, prompt):
    stream = greedy(decoder, prompt, [], max_new_tokens=3)
    next(stream)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    stream.close()
    Run(decoder, prompt).prefill()
    assert torch.is_grad_enabled()


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=12), noise=st.lists(st.integers(0, 262), max_size=12))
def test_pieces_join_to_the_decoded_whole(tokenizer, text, noise):
    for ids in (tokenizer(text)["input_ids"], noise):
        pieces = list(text_pieces(tokenizer, iter(ids)))
        assert "".join(pieces) == decode(tokenizer, ids)
        assert all(pieces)
    assert decode(tokenizer, tokenizer(text)["input_ids"]) == text


def test_a_character_of_many_tokens_comes_out_whole(tokenizer):
    ids = tokenizer("the 🌍 é!")["input_ids"]
    pieces = list(text_pieces(tokenizer, ids))
    assert "🌍" in pieces
    assert "é" in pieces
    assert "".join(pieces) == "the 🌍 é!"


def test_special_tokens_never_come_out(tokenizer):
    ids = [*tokenizer("hi")["input_ids"], tokenizer.eos_token_id]
    assert list(text_pieces(tokenizer, ids)) == ["h", "i"]


def compression(hub, tokens, T=2, N=3):
    blank = torch.zeros(T, N, dtype=torch.int64)
    return Compression(
        method="test",
        tokens=tokens,
        grid=(1, N),
        spatial=blank,
        group=blank,
        share=blank,
        hub=hub,
        place=hub.float(),
        counts=(T * N, len(hub), len(hub)),
    )


def test_kept_rows_stand_in_the_order_of_their_hubs():
    clip = Encoded(torch.randn(2, 3, 4), (1, 3), torch.arange(2).numpy(), "test", "k")
    hub = torch.tensor([[1, 0], [0, 2], [1, 2], [0, 1]])
    kept = compression(hub, torch.randn(4, 4))
    assert kept_order(kept).tolist() == [3, 1, 0, 2]
    assert torch.equal(visual_rows(clip, kept), kept.tokens[[3, 1, 0, 2]])
    assert torch.equal(visual_rows(clip, None), clip.tokens.reshape(6, 4))


def test_kept_tokens_of_another_clip_are_refused():
    clip = Encoded(torch.randn(2, 3, 4), (1, 3), torch.arange(2).numpy(), "test", "k")
    hub = torch.zeros(1, 2, dtype=torch.int64)
    for kept in (compression(hub, torch.randn(1, 5)), compression(hub, torch.randn(1, 4), T=3)):
        with pytest.raises(ValueError, match="another clip"):
            visual_rows(clip, kept)


def test_only_pruning_inside_the_decoder_needs_a_context(decoder, prompt):
    assert pruning(decoder, prompt, None) is nullcontext
    assert pruning(decoder, prompt, InDecoder(2, 0.5)) is not nullcontext


def test_end_tokens_are_the_configs_and_the_tokenizers(decoder, tokenizer):
    assert end_tokens(decoder, tokenizer) == {tokenizer.eos_token_id}
    decoder.generation_config.eos_token_id = [7, 9]
    assert end_tokens(decoder, tokenizer) == {7, 9, tokenizer.eos_token_id}
