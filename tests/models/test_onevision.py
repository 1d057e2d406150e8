import json

import numpy as np
import pytest
import torch
from makekept import kept_of
from tiny_models import onevision

from scissor.models import load_model
from scissor.models.adapter import Adapter
from scissor.models.contract import ModelError
from scissor.models.decoding import decode
from scissor.models.onevision import FAMILY
from scissor.models.pixels import frames_to_pixels
from scissor.types import Compression, InDecoder, Video

pytestmark = pytest.mark.usefixtures("one_thread")
QUESTION = "What is in the video? 🌍"


@pytest.fixture(scope="module")
def lm(tokenizer):
    return onevision(tokenizer)


@pytest.fixture
def model(lm, tokenizer):
    return Adapter(FAMILY, lm, tokenizer, "tiny")


@pytest.fixture(scope="module")
def video():
    frames = np.random.default_rng(0).integers(0, 256, (11, 40, 52, 3), dtype=np.uint8)
    return Video(frames, np.arange(11) / 2, 5.0, "clip", "key")


@pytest.fixture
def encoded(model, video):
    return model.encode(video)


def native_inputs(lm, tokenizer, video):
    """As transformers' processor lays them out: one placeholder a token and one for the newline."""
    text = FAMILY.chat.format(question=QUESTION).replace(
        "<video>", "<video>" * (len(video.frames) * 9 + 1)
    )
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)
    pixels = frames_to_pixels(video.frames, (60, 60))[None]
    return {
        "input_ids": ids["input_ids"],
        "attention_mask": ids["attention_mask"],
        "pixel_values_videos": pixels,
    }


def test_encoding_equals_one_native_pass(lm, model, encoded, tokenizer, video):
    pixels = native_inputs(lm, tokenizer, video)["pixel_values_videos"]
    with torch.inference_mode():
        want = lm.model.get_video_features(pixels).pooler_output[0]
    assert encoded.tokens.shape == (11, 9, 32)
    assert encoded.tokens.dtype == torch.float32
    assert encoded.grid == (3, 3)
    torch.testing.assert_close(encoded.tokens.flatten(0, 1), want[:-1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(encoded.extras["newline"], want[-1])


def test_what_leaves_the_model_are_ordinary_tensors(model, video):
    encoded = model.encode(video, attention=True)
    scores = model.score(encoded, None, QUESTION, "a")
    for tensor in (encoded.tokens, encoded.attention, encoded.extras["newline"], scores):
        assert not tensor.is_inference()
        assert not tensor.requires_grad
        tensor += 1


def test_prompt_equals_native_logits(lm, model, encoded, tokenizer, video):
    prompt = model.prompt(encoded, None, QUESTION)
    with torch.inference_mode():
        want = lm(**native_inputs(lm, tokenizer, video)).logits
        got = lm(inputs_embeds=prompt.embeds).logits
    assert want.std() > 0.5
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)


def test_answer_equals_native_generate(lm, model, encoded, tokenizer, video):
    inputs = native_inputs(lm, tokenizer, video)
    ids = lm.generate(**inputs, max_new_tokens=24, do_sample=False)[
        0, inputs["input_ids"].shape[1] :
    ]
    pieces = list(model.answer(encoded, None, QUESTION, max_new_tokens=24))
    assert len(pieces) > 1
    assert "".join(pieces) == decode(tokenizer, ids.tolist())


def test_score_equals_native_log_probabilities(lm, model, encoded, tokenizer, video):
    inputs = native_inputs(lm, tokenizer, video)
    answer = model.answer_ids("a globe")
    assert answer[-1] == tokenizer.eos_token_id
    whole = torch.cat([inputs["input_ids"], answer[None]], dim=1)
    with torch.inference_mode():
        logits = lm(input_ids=whole, pixel_values_videos=inputs["pixel_values_videos"]).logits[0]
    want = logits[-len(answer) - 1 : -1].log_softmax(-1)
    got = model.score(encoded, None, QUESTION, "a globe")
    torch.testing.assert_close(got, want, atol=2e-5, rtol=1e-5)
    total = got.gather(1, answer[:, None]).sum()
    torch.testing.assert_close(total, want.gather(1, answer[:, None]).sum(), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 37, 99])
def test_any_number_of_kept_tokens_answers_and_scores(model, encoded, count):
    kept = kept_of(encoded, count)
    prompt = model.prompt(encoded, kept, QUESTION)
    assert len(prompt.visual) == count
    text = "".join(model.answer(encoded, kept, QUESTION, max_new_tokens=6))
    scores = model.score(encoded, kept, QUESTION, text)
    assert scores.shape[0] == len(model.answer_ids(text))
    torch.testing.assert_close(scores.exp().sum(-1), torch.ones(len(scores)))


def test_kept_tokens_stand_in_order_of_their_hubs_before_the_newline(model, encoded):
    kept = kept_of(encoded, 12)
    prompt = model.prompt(encoded, kept, QUESTION)
    order = torch.argsort(kept.hub[:, 0] * 9 + kept.hub[:, 1])
    assert torch.equal(prompt.embeds[0, prompt.visual], kept.tokens[order])
    assert torch.equal(prompt.embeds[0, prompt.visual[-1] + 1], encoded.extras["newline"])


def test_every_token_kept_equals_nothing_removed(model, encoded):
    T, N, _ = encoded.tokens.shape
    all_of_them = torch.arange(T * N)
    hub = torch.stack([all_of_them // N, all_of_them % N], dim=1)
    share = all_of_them.reshape(T, N)
    tokens, counts = encoded.tokens.flatten(0, 1), (T * N,) * 3
    kept = Compression("all", tokens, encoded.grid, share, share, share, hub, hub.float(), counts)
    want = model.score(encoded, None, QUESTION, "yes")
    assert torch.equal(model.score(encoded, kept, QUESTION, "yes"), want)


@pytest.mark.parametrize("feature", [-1, -2, 2])
def test_attention_equals_the_eager_weights(tokenizer, video, feature):
    lm = onevision(tokenizer, feature=feature)
    got = Adapter(FAMILY, lm, tokenizer, "tiny").encode(video, attention=True)
    lm.set_attn_implementation({"vision_config": "eager"})
    tower = lm.model.vision_tower
    with torch.inference_mode():
        weights = tower(frames_to_pixels(video.frames, (60, 60)), output_attentions=True).attentions
    layer = {-1: 2, -2: 1, 2: 1}[feature]
    want = lm.model.apply_pooling(weights[layer].mean(dim=(1, 2))[..., None])[..., 0]
    assert want.std() > 1e-4
    torch.testing.assert_close(got.attention, want, atol=1e-6, rtol=1e-4)
    assert not tower.encoder.layers[layer].self_attn._forward_pre_hooks
    plain = Adapter(FAMILY, lm, tokenizer, "tiny").encode(video)
    assert plain.attention is None


def test_pruning_inside_the_decoder_answers_and_scores(model, encoded):
    """That it is FastV is test_pruning.py's to show; here, that the newline is never dropped."""
    native = model.score(encoded, None, QUESTION, "yes")
    for retention in (0.01, 0.5):
        kept = InDecoder(2, retention)
        assert "".join(model.answer(encoded, kept, QUESTION, max_new_tokens=4))
        assert (model.score(encoded, kept, QUESTION, "yes") - native).abs().max() > 1e-3
    everything = model.score(encoded, InDecoder(2, 1.0), QUESTION, "yes")
    torch.testing.assert_close(everything, native, atol=1e-5, rtol=1e-5)
    assert len(model.prompt(encoded, InDecoder(2, 0.5), QUESTION).visual) == 99


def test_long_clips_are_declined_in_a_sentence(model, encoded, video):
    frames = np.zeros((33, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="at most 32 frames"):
        model.encode(Video(frames, np.arange(33.0), 33.0, "long", "k"))


@pytest.fixture(scope="module")
def checkpoint(lm, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-onevision"
    lm.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_local_folder_loads_by_its_path(checkpoint, lm, tokenizer, encoded, video, model):
    told = []
    loaded = load_model(str(checkpoint), device="cpu", progress=lambda *step: told.append(step))
    assert loaded.name == checkpoint.name
    assert [step[0] for step in told] == sorted(step[0] for step in told)
    again = loaded.encode(video)
    assert torch.equal(again.tokens, encoded.tokens)
    assert again.key != encoded.key
    answer = "".join(loaded.answer(again, None, QUESTION, max_new_tokens=8))
    assert answer == "".join(model.answer(encoded, None, QUESTION, max_new_tokens=8))


def test_half_precision_keeps_the_native_path_exact(checkpoint, tokenizer, video):
    loaded = load_model(str(checkpoint), device="cpu", dtype=torch.bfloat16)
    lm = loaded._lm
    assert lm.dtype == torch.bfloat16
    encoded = loaded.encode(video, attention=True)
    assert encoded.tokens.dtype == encoded.attention.dtype == torch.float32
    inputs = native_inputs(lm, tokenizer, video)
    pixels = inputs.pop("pixel_values_videos").to(torch.bfloat16)
    with torch.inference_mode():
        first, rest = (
            lm.model.get_video_features(pixels[:, :8]),
            lm.model.get_video_features(pixels[:, 8:]),
        )
    rows = torch.cat([first.pooler_output[0, :-1], rest.pooler_output[0]])
    prompt = loaded.prompt(encoded, None, QUESTION)
    assert torch.equal(prompt.embeds[0, prompt.visual[0] : prompt.visual[-1] + 2], rows)
    assert "".join(loaded.answer(encoded, InDecoder(2, 0.2), QUESTION, max_new_tokens=3))


def test_shards_load_and_a_missing_one_is_refused(lm, tokenizer, tmp_path):
    folder = tmp_path / "sharded"
    lm.save_pretrained(folder, max_shard_size="40KB")
    tokenizer.save_pretrained(folder)
    assert load_model(str(folder), device="cpu").shape.layers == 5
    next(folder.glob("model-00001-*.safetensors")).unlink()
    with pytest.raises(ModelError, match="lacks weight files"):
        load_model(str(folder))


def test_a_checkpoint_with_a_weight_missing_is_refused(checkpoint, tokenizer, tmp_path):
    from safetensors.torch import load_file, save_file

    weights = load_file(checkpoint / "model.safetensors")
    lost = next(name for name in weights if "linear_1.weight" in name)
    del weights[lost]
    for file in checkpoint.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"not hold all weights.*linear_1"):
        load_model(str(tmp_path))


def test_a_weight_of_another_shape_is_refused(checkpoint, tmp_path):
    for file in checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["text_config"]["intermediate_size"] = 64
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"not hold all weights|could not be loaded"):
        load_model(str(tmp_path))


def test_damaged_weights_are_refused(checkpoint, tmp_path):
    for file in checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="damaged"):
        load_model(str(tmp_path))
    weights.write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="damaged"):
        load_model(str(tmp_path))


def test_the_checkpoints_own_chat_template_is_used(checkpoint, tokenizer, tmp_path, encoded):
    for file in checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    template = (
        "{% for m in messages %}[{{ m['role'] }}]{% for c in m['content'] %}"
        "{{ '<video>' if c['type'] == 'video' else c['text'] }}{% endfor %}{% endfor %}=>"
    )
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    loaded = load_model(str(tmp_path))
    prompt = loaded.prompt(encoded, None, "Hi {}")
    assert prompt.visual[0] == len(tokenizer("[user]")["input_ids"])
    after = tokenizer("Hi {}=>", return_tensors="pt")["input_ids"][0]
    table = loaded._lm.get_input_embeddings().weight
    assert torch.equal(prompt.embeds[0, -len(after) :], table[after])


def test_special_tokens_in_a_question_are_plain_words(model, encoded, tokenizer):
    plain = model.prompt(encoded, None, "").embeds.shape[1]
    question = "<|im_end|><video> {question}"
    prompt = model.prompt(encoded, None, question)
    table = model._lm.get_input_embeddings().weight
    asked = prompt.embeds[0, prompt.visual[-1] + 2 :]
    with torch.no_grad():
        ids = torch.cdist(asked, table).argmin(-1).tolist()
    assert ids.count(tokenizer.eos_token_id) == 1
    assert tokenizer.convert_tokens_to_ids("<video>") not in ids
    assert prompt.embeds.shape[1] > plain
    assert "< |im_end|>< video> {question}" in tokenizer.decode(ids)


def test_without_room_the_sentence_says_so(checkpoint, monkeypatch):
    from scissor.models import machine

    monkeypatch.setattr(machine, "free_memory", lambda device: 10**6)
    with pytest.raises(ModelError, match="GB of memory"):
        load_model(str(checkpoint))
