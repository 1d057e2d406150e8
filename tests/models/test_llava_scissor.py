"""Checkpoints in LLaVA-NeXT's format give the same model, or are refused."""

import json

import numpy as np
import pytest
import torch
from makekept import kept_of
from safetensors.torch import load_file, save_file
from tiny_models import onevision

from scissor.models import family_of, llava_scissor, load_model
from scissor.models.contract import ModelError
from scissor.models.decoding import decode
from scissor.models.pixels import frames_to_pixels
from scissor.types import Video

pytestmark = pytest.mark.usefixtures("one_thread")
QUESTION = "What is in the video?"
CHAT = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<image>\n"
    f"{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
)
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 60,
    "patch_size": 12,
}
RENAMED = (
    ("model.vision_tower.", "model.vision_tower.vision_tower.vision_model."),
    ("model.multi_modal_projector.linear_1.", "model.mm_projector.0."),
    ("model.multi_modal_projector.linear_2.", "model.mm_projector.2."),
    ("model.language_model.", "model."),
)


@pytest.fixture(scope="module")
def lm(tokenizer):
    return onevision(tokenizer)


@pytest.fixture
def checkpoint(lm, tokenizer, tmp_path, monkeypatch):
    """The folder as the authors' training code writes it."""
    monkeypatch.setitem(llava_scissor.TOWERS, "siglip-tiny", SIZES)
    text = lm.config.text_config.to_dict()
    text |= {
        "model_type": "llava_qwen",
        "architectures": ["LlavaQwenZipForCausalLM"],
        "mm_vision_tower": "someone/siglip-tiny",
        "mm_projector_type": "mlp2x_gelu",
        "mm_spatial_pool_mode": "bilinear",
        "mm_spatial_pool_stride": 2,
        "tie_word_embeddings": False,
    }
    (tmp_path / "config.json").write_text(json.dumps(text))
    tokenizer.save_pretrained(tmp_path)
    save(tmp_path, {theirs(name): weight for name, weight in lm.state_dict().items()})
    return tmp_path


def theirs(name):
    for ours, other in RENAMED:
        if name.startswith(ours):
            return name.replace(ours, other, 1)
    return name


def save(folder, weights):
    kept = {
        name: weight.contiguous()
        for name, weight in weights.items()
        if name != "model.image_newline"  # these checkpoints have none
    }
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture(scope="module")
def video():
    frames = np.random.default_rng(0).integers(0, 256, (4, 40, 52, 3), dtype=np.uint8)
    return Video(frames, np.arange(4.0), 4.0, "clip", "key")


def test_every_weight_finds_its_place_and_the_answer_is_the_papers(
    checkpoint, lm, tokenizer, video
):
    """By hand as its code does it: embedded text around all tokens, no newline row."""
    loaded = load_model(str(checkpoint), device="cpu")
    encoded = loaded.encode(video)
    pixels = frames_to_pixels(video.frames, (60, 60))[None]
    before, after = CHAT.split("<image>")
    table = lm.get_input_embeddings()
    with torch.inference_mode():
        rows = lm.model.get_video_features(pixels).pooler_output[0, :-1]
        parts = [table(torch.tensor(tokenizer(text)["input_ids"])) for text in (before, after)]
        whole = torch.cat([parts[0], rows, parts[1]])[None]
        ids = lm.generate(
            inputs_embeds=whole,
            attention_mask=torch.ones(whole.shape[:2], dtype=torch.int64),
            eos_token_id=tokenizer.eos_token_id,
            max_new_tokens=8,
            do_sample=False,
        )[0]
    prompt = loaded.prompt(encoded, None, QUESTION)
    assert prompt.embeds.shape == whole.shape
    assert (prompt.embeds - whole).abs().max() < 1e-5
    answer = "".join(loaded.answer(encoded, None, QUESTION, max_new_tokens=8))
    assert answer == decode(tokenizer, ids.tolist())
    for count in (1, 17):
        assert "".join(loaded.answer(encoded, kept_of(encoded, count), QUESTION, max_new_tokens=3))


@pytest.mark.parametrize(
    "lost", ["model.mm_projector.0.weight", "model.layers.2.mlp.up_proj.weight"]
)
def test_a_missing_weight_is_refused(checkpoint, lost):
    weights = load_file(checkpoint / "model.safetensors")
    del weights[lost]
    save(checkpoint, weights)
    with pytest.raises(ModelError, match="does not hold all weights"):
        load_model(str(checkpoint))


def test_a_weight_without_use_is_refused(checkpoint):
    weights = load_file(checkpoint / "model.safetensors")
    save(checkpoint, weights | {"model.vision_resampler.weight": torch.zeros(2)})
    with pytest.raises(ModelError, match=r"no use for .*vision_resampler"):
        load_model(str(checkpoint))


def test_a_deeper_tower_is_refused(checkpoint):
    weights = load_file(checkpoint / "model.safetensors")
    extra = "model.vision_tower.vision_tower.vision_model.encoder.layers.3.mlp.fc1.bias"
    save(checkpoint, weights | {extra: torch.zeros(24)})
    with pytest.raises(ModelError, match="no use for"):
        load_model(str(checkpoint))


@pytest.mark.parametrize(
    "change",
    [
        {"mm_vision_tower": "openai/clip-vit-large-patch14-336"},
        {"mm_projector_type": "linear"},
        {"mm_spatial_pool_mode": "average"},
        {"mm_spatial_pool_stride": 4},
    ],
)
def test_another_architecture_is_refused_in_a_sentence(checkpoint, change):
    config = json.loads((checkpoint / "config.json").read_text())
    (checkpoint / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ModelError, match="not offered here"):
        load_model(str(checkpoint))


def test_the_family_is_known_by_its_architecture():
    assert family_of({"model_type": "qwen2", "architectures": ["LlavaQwenForCausalLM"]}) == (
        "llava_qwen"
    )
    assert family_of({"model_type": "llava_qwen"}) == "llava_qwen"


def test_the_real_sizes_are_onevisions():
    """Of LLaVA-Scissor-baseline-0.5B, whose configuration names these."""
    from transformers import LlavaOnevisionConfig

    config = llava_scissor.translated(
        {
            "mm_vision_tower": "google/siglip-so400m-patch14-384",
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "tie_word_embeddings": True,
            "vocab_size": 151_936,
            "rope_theta": 1234.5,
            "rms_norm_eps": 1e-6,
            "torch_dtype": "bfloat16",
            "image_aspect_ratio": "anyres_max_9",
            "architectures": ["LlavaQwenZipForCausalLM"],
            "transformers_version": "4.40.0",
        }
    )
    usual = LlavaOnevisionConfig().vision_config
    for name in ("hidden_size", "num_hidden_layers", "image_size", "patch_size"):
        assert getattr(config.vision_config, name) == getattr(usual, name)
    assert config.tie_word_embeddings
    assert config.text_config.hidden_size == 896
    assert config.text_config.rope_parameters["rope_theta"] == 1234.5
