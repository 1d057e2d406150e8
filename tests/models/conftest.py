"""Tiny decoders with random weights and a tokenizer built in code."""

import pytest
import torch
from tiny_models import text_config
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>", "<video>", "<image>", "<|endoftext|>"]
SPECIAL += ["<|vision_start|>", "<|vision_end|>", "<|video_pad|>", "<|image_pad|>"]
SPECIAL += ["<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
SPECIAL += ["<img>", "</img>", "<IMG_CONTEXT>"]


@pytest.fixture(scope="module")
def one_thread():
    """On tensors this small a second thread only waits for the first."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tokenizer():
    """Byte-level: every text can be written, an emoji takes four tokens."""
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {letter: i for i, letter in enumerate(letters)}
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the")]
    for left, right in merges:
        vocab[left + right] = len(vocab)
    core = Tokenizer(BPE(vocab, merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        eos_token="<|im_end|>",
        extra_special_tokens=SPECIAL[1:2] + SPECIAL[3:],
    )


@pytest.fixture(params=["llama", "qwen2"])
def decoder(request, tokenizer):
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = text_config(request.param, len(tokenizer))
    return AutoModelForCausalLM.from_config(config).eval()
