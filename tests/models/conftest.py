"""Tiny decoders with random weights and a tokenizer built in code."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>", "<video>", "<image>"]


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


def tiny_text_config(family: str, vocab: int, **more):
    from transformers import LlamaConfig, Qwen2Config

    kind = {"llama": LlamaConfig, "qwen2": Qwen2Config}[family]
    return kind(
        vocab_size=vocab,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=None,
        bos_token_id=None,
        pad_token_id=None,
        initializer_range=0.4,  # wide, so that random logits differ clearly
        **more,
    )


@pytest.fixture(params=["llama", "qwen2"])
def decoder(request, tokenizer):
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = tiny_text_config(request.param, len(tokenizer))
    return AutoModelForCausalLM.from_config(config).eval()
