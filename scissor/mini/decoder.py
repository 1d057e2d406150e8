"""The voice of the embedded model: a small Llama, and the words around a question.

Knows the decoder's class, its prompt and its tokenizer's files. Leaves running the prompt and
streaming the answer to models/decoding.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from scissor.mini.config import Config

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

BEFORE = "<|im_start|>user\n"
"""The prompt's text before the visual tokens."""

AFTER = "\n{question}<|im_end|>\n<|im_start|>assistant\n"
"""The prompt's text after the visual tokens."""

UNASKED = "Describe the video."
"""What an empty question asks."""

TOKENIZER = "tokenizer.json"

END = "<|im_end|>"
"""Ends every answer."""


def build_decoder(config: Config) -> LlamaForCausalLM:
    """A Llama of the configured shape with fresh weights; none under torch.device("meta")."""
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    shape = LlamaConfig(**config.decoder, attn_implementation="sdpa")
    decoder = LlamaForCausalLM(shape)
    with torch.device("cpu"):  # its frequencies are no weights: nothing would load them later
        decoder.model.rotary_emb = LlamaRotaryEmbedding(shape)
    decoder.generation_config.update(do_sample=False, eos_token_id=shape.eos_token_id)
    return decoder


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a folder that holds tokenizer.json.

    Raises FileNotFoundError where it is missing, ValueError where it is damaged.
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    text = (Path(folder) / TOKENIZER).read_text(encoding="utf-8")
    try:
        core = Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(f"{TOKENIZER} is damaged") from error
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<|im_start|>",
        eos_token=END,
        pad_token=END,
        clean_up_tokenization_spaces=False,
    )


def text_ids(tokenizer: PreTrainedTokenizerFast, text: str) -> Tensor:
    """[n] int64: the token ids of prompt text, in which special tokens are meant."""
    return torch.tensor(tokenizer.encode(text, add_special_tokens=False), dtype=torch.int64)


def visitor_ids(tokenizer: PreTrainedTokenizerFast, text: str) -> Tensor:
    """[n] int64: the token ids of a visitor's words; a special token's name is plain text in it."""
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
    return torch.tensor(ids, dtype=torch.int64)


def prompt_ids(tokenizer: PreTrainedTokenizerFast, question: str) -> tuple[Tensor, Tensor]:
    """The token ids before and after the visual tokens of a prompt that asks `question`."""
    head, tail = AFTER.split("{question}")
    asked = visitor_ids(tokenizer, head + (question.strip() or UNASKED))
    return text_ids(tokenizer, BEFORE), torch.cat([asked, text_ids(tokenizer, tail)])


def answer_ids(tokenizer: PreTrainedTokenizerFast, answer: str) -> Tensor:
    """[A] int64: the token ids of an answer, the end of turn included."""
    return torch.cat([visitor_ids(tokenizer, answer), text_ids(tokenizer, END)])
