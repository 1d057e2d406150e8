"""A tokenizer built in code, with the special tokens of every family."""

from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>", "<video>", "<image>", "<|endoftext|>"]
SPECIAL += ["<|vision_start|>", "<|vision_end|>", "<|video_pad|>", "<|image_pad|>"]
SPECIAL += ["<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
SPECIAL += ["<img>", "</img>", "<IMG_CONTEXT>"]


def build_tokenizer():
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
