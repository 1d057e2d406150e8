"""Tiny decoders with random weights and a tokenizer built in code."""

import pytest
import torch
from tiny_models import text_config
from tiny_tokenizer import build_tokenizer


@pytest.fixture(scope="module")
def one_thread():
    """On tensors this small a second thread only waits for the first."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tokenizer():
    return build_tokenizer()


@pytest.fixture(params=["llama", "qwen2"])
def decoder(request, tokenizer):
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = text_config(request.param, len(tokenizer))
    return AutoModelForCausalLM.from_config(config).eval()
