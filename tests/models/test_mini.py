"""The embedded model's adapter: nothing removed is the native path, and any tokens will do."""

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tinymini import tiny_mini

from scissor import compress, load_model, mini
from scissor.mini.loading import WEIGHTS
from scissor.models import mini as adapters
from scissor.models.contract import ModelError
from scissor.models.decoding import Run, pruning
from scissor.models.loading import Checkpoint
from scissor.models.mini import BATCH, Mini, squeeze
from scissor.types import Compression, InDecoder, Video

CPU = torch.device("cpu")
CLIPS = Path(__file__).parents[2] / "assets" / "clips"
QUESTION = "What is there?"


def video(frames=10, size=(40, 72)):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (frames, *size, 3), dtype=np.uint8)
    return Video(pixels, np.arange(frames) / 4, frames / 4, "noise", f"noise{frames}{size}")


@pytest.fixture(scope="module")
def model():
    return Mini(tiny_mini(), "tiny", CPU, torch.float32)


@pytest.fixture(scope="module")
def encoded(model):
    return model.encode(video(), attention=True)


def native_ids(model, encoded, count):
    """What transformers' own generate says to the model's own prompt, put together by hand."""
    tokenizer, decoder = model._model.tokenizer, model._model.decoder
    text = "<|im_start|>user\n", f"\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    before, after = (
        decoder.get_input_embeddings()(torch.tensor(tokenizer(part).input_ids)) for part in text
    )
    visual = encoded.tokens.flatten(0, 1)
    visual = visual + model._model.place(encoded.places, len(encoded.tokens))
    embeds = torch.cat([before, visual, after])[None]
    ids = decoder.generate(
        inputs_embeds=embeds,
        attention_mask=torch.ones(embeds.shape[:2], dtype=torch.int64),
        max_new_tokens=count,
        do_sample=False,
    )
    return ids[0], decoder(inputs_embeds=embeds).logits[0, -1]


@torch.inference_mode()
def test_with_nothing_removed_it_is_the_native_path(model, encoded):
    ids, logits = native_ids(model, encoded, 12)
    text = "".join(model.answer(encoded, None, QUESTION, max_new_tokens=12))
    assert text == model._model.tokenizer.decode(ids, skip_special_tokens=True)
    first = model.score(encoded, None, QUESTION, "a dog")[0]
    torch.testing.assert_close(first, logits.log_softmax(-1), atol=1e-5, rtol=0)


def test_scores_are_those_of_one_pass_over_everything(model, encoded):
    ids = model.answer_ids("two dogs")
    scores = model.score(encoded, None, QUESTION, "two dogs")
    assert scores.shape == (len(ids), len(model._model.tokenizer))
    prompt = model.prompt(encoded, None, QUESTION)
    table = model._model.decoder.get_input_embeddings()
    with torch.inference_mode():
        whole = torch.cat([prompt.embeds, table(ids[:-1])[None]], 1)
        logits = model._model.decoder(inputs_embeds=whole).logits[0, len(prompt) - 1 :]
    torch.testing.assert_close(scores, logits.log_softmax(-1), atol=1e-4, rtol=1e-4)


def test_frames_are_encoded_the_same_in_any_batch(model, encoded):
    assert len(video().frames) > BATCH
    for t in range(len(video().frames)):
        one = Video(video().frames[t : t + 1], np.zeros(1), 0.0, "one", f"one{t}")
        torch.testing.assert_close(model.encode(one).tokens[0], encoded.tokens[t])


def test_what_is_encoded(model, encoded):
    assert encoded.tokens.shape == (10, 16, 32)
    assert encoded.tokens.dtype == torch.float32
    assert encoded.grid == (4, 4)
    torch.testing.assert_close(encoded.attention.sum(1), torch.ones(10))
    plain = model.encode(video())
    assert plain.attention is None
    assert torch.equal(plain.tokens, encoded.tokens)
    assert plain.key == encoded.key != model.encode(video(5)).key


def test_one_moment_more_than_it_reads_is_refused(model):
    with pytest.raises(ValueError, match="at most 12 frames"):
        model.encode(video(13))


@pytest.mark.parametrize("retention", [0.01, 0.1, 0.5, 1.0])
def test_it_answers_from_any_number_of_tokens(model, encoded, retention):
    kept = compress(encoded, retention=retention, exact=True)
    prompt = model.prompt(encoded, kept, QUESTION)
    assert len(prompt.visual) == kept.kept
    assert len(model.score(encoded, kept, QUESTION, "a")) == len(model.answer_ids("a"))
    pieces = list(model.answer(encoded, kept, QUESTION, max_new_tokens=3))
    assert all(isinstance(piece, str) and piece for piece in pieces)


def test_keeping_everything_is_keeping_everything(model, encoded):
    kept = compress(encoded, retention=1)
    assert torch.equal(model.rows(encoded, kept), model.rows(encoded, None))


def handmade(encoded, hub, place):
    """Two kept tokens whose shares are the clip's halves."""
    share = torch.zeros(encoded.tokens.shape[:2], dtype=torch.int64)
    share[3:] = 1
    tokens = torch.stack([encoded.tokens[:3].mean((0, 1)), encoded.tokens[3:].mean((0, 1))])
    counts = (share.numel(), 2, 2)
    return Compression("by hand", tokens, (4, 4), share, share, share, hub, place, counts)


def test_a_kept_token_goes_with_its_own_place(model, encoded):
    place = torch.tensor([[4.0, 1.5, 1.5], [1.0, 0.5, 2.5]])
    kept = handmade(encoded, torch.tensor([[4, 2], [1, 7]]), place)
    where = model._model.place(place, 10)
    want = torch.stack([kept.tokens[1] + where[1], kept.tokens[0] + where[0]])  # hub order
    torch.testing.assert_close(model.rows(encoded, kept), want)


def test_another_clips_tokens_are_refused(model, encoded):
    kept = compress(model.encode(video(3)), retention=0.5)
    with pytest.raises(ValueError, match="another clip"):
        model.prompt(encoded, kept, QUESTION)


def test_pruning_inside_the_decoder(model, encoded):
    everything = "".join(model.answer(encoded, InDecoder(2, 1.0), QUESTION, max_new_tokens=6))
    assert everything == "".join(model.answer(encoded, None, QUESTION, max_new_tokens=6))
    scores = model.score(encoded, InDecoder(2, 0.2), QUESTION, "a")
    assert (scores - model.score(encoded, None, QUESTION, "a")).abs().max() > 1e-3
    again = "".join(model.answer(encoded, None, QUESTION, max_new_tokens=6))
    assert again == everything


def test_an_empty_question_is_answered_as_a_description(model, encoded):
    empty = model.score(encoded, None, " ", "a")
    assert torch.equal(empty, model.score(encoded, None, "Describe the video.", "a"))


def test_the_decoder_may_run_in_half_precision(encoded):
    half = Mini(tiny_mini(), "tiny", CPU, torch.bfloat16)
    assert half.encode(video()).tokens.allclose(encoded.tokens)
    assert half.score(encoded, None, QUESTION, "a").dtype == torch.float32


def test_a_wide_frame_is_squeezed_whole():
    frame = np.zeros((1, 30, 60, 3), np.uint8)
    frame[:, :, 30:] = 200
    small = squeeze(frame, 16)
    assert small.shape == (1, 16, 16, 3)
    assert small[0, :, :6].max() == 0
    assert small[0, :, 10:].min() == 200
    same = np.asarray(Image.effect_noise((16, 16), 90).convert("RGB"))[None]
    assert np.array_equal(squeeze(same, 16).numpy(), same)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    mini.save(tiny_mini(), folder)
    return folder


def test_it_loads_from_a_folder(saved):
    loaded = load_model(str(saved), device="cpu", dtype=torch.float32)
    assert isinstance(loaded, Mini)
    assert loaded.max_frames == 12
    assert loaded.encode(video(2)).tokens.shape == (2, 16, 32)
    assert loaded.shape == Mini(tiny_mini(), "tiny", CPU, torch.float32).shape


def test_the_shipped_models_clips_have_the_same_keys_in_every_checkout(
    saved, tmp_path, monkeypatch
):
    here, there = (tmp_path / name for name in ("here", "there"))
    keys = []
    for folder in (here, there):
        shutil.copytree(saved, folder)
        keys.append(load_model(str(folder)).encode(video(2)).key)
    assert keys[0] != keys[1]
    for folder in (here, there):
        monkeypatch.setattr("scissor.models.mini.shipped", lambda folder=folder: folder)
        model = adapters.load(Checkpoint(folder, "mini", {}, CPU, torch.float32))
        keys.append(model.encode(video(2)).key)
    assert keys[2] == keys[3]


@pytest.mark.parametrize("lost", [WEIGHTS, "tokenizer.json", "imagenet.txt"])
def test_a_missing_file_is_named(saved, tmp_path, lost):
    for file in saved.iterdir():
        if file.name != lost:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ModelError, match=lost) as refused:
        load_model(str(tmp_path))
    assert "/" not in str(refused.value)


@pytest.mark.parametrize("damaged", [WEIGHTS, "tokenizer.json"])
def test_a_damaged_file_is_said(saved, tmp_path, damaged):
    for file in saved.iterdir():
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(content[:100] if file.name == damaged else content)
    with pytest.raises(ModelError, match="damaged"):
        load_model(str(tmp_path))


def test_the_shipped_model_names_what_an_example_shows(caplog):
    from scissor import read_video

    with caplog.at_level(logging.WARNING):
        model = load_model("mini")
    encoded = model.encode(read_video(CLIPS / "scene_mountains.mp4", frames=16))
    asked = "What objects appear in the video?"
    for kept in (None, compress(encoded, retention=0.1)):
        answer = "".join(model.answer(encoded, kept, asked)).lower()
        assert sum(word in answer for word in ("balloon", "tractor", "butterfly")) >= 2, answer
    assert model.max_frames == 32
    assert not caplog.records


@pytest.mark.usefixtures("one_thread")
def test_following_a_draft_gives_the_answer_and_its_scores(model, encoded):
    from scissor.models.drafts import Prefix

    kept, prefix = compress(encoded, retention=0.3), Prefix()
    for question in (QUESTION, "How many things are there?"):
        for few in (None, kept, InDecoder(2, 0.3)):
            want = "".join(model.answer(encoded, few, question, max_new_tokens=8))
            limits = {"max_new_tokens": 8, "prefix": prefix}
            text, found = model.follow(encoded, few, question, "a dog", **limits)
            assert text == want
            scores = model.score(encoded, few, question, "a dog")
            torch.testing.assert_close(found.log_probabilities, scores, atol=1e-4, rtol=1e-4)


@pytest.mark.usefixtures("one_thread")
def test_what_fastv_keeps_is_told_with_the_answer(model, encoded):
    from functools import partial

    from scissor.cost import visual_counts
    from scissor.methods import METHODS
    from scissor.models import ask

    make = partial(METHODS["fastv"], encoded, 0.3)
    *_, answer = ask(model, encoded, make, QUESTION, max_new_tokens=4)
    prompt = model.prompt(encoded, None, QUESTION)
    around = pruning(model._model.decoder, prompt, make())
    Run(model._model.decoder, prompt, around).prefill()
    kept, cells = answer.compression, encoded.tokens.shape[1]
    assert torch.equal(kept.hub[:, 0] * cells + kept.hub[:, 1], around.kept)
    assert torch.equal(kept.tokens, encoded.tokens.flatten(0, 1)[around.kept])
    total = kept.counts[0]
    assert visual_counts(kept, total, 5) == visual_counts(make(), total, 5)
    assert answer.kept == kept.kept < total
