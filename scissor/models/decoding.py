"""From prompt embeddings to text and scores, the same for every causal decoder.

Knows how rows of text and visual tokens become one prompt, how the prompt runs first (prefill) and
the answer after it, greedily over the cache, and how token ids become streamed text. Leaves what
the prompt says and which visual rows it holds to the families, and pruning inside the decoder to a
context (`around`) that they hand in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from scissor.models.contract import Kept
from scissor.models.pruning import Pruner
from scissor.types import Compression, Encoded, InDecoder

if TYPE_CHECKING:
    from scissor.models.drafts import Prefix

Around = Callable[[Any], AbstractContextManager]
"""Makes, of a run's cache, the context each of its forward calls stands in, the prompt's first."""


@dataclass(frozen=True, eq=False)
class Prompt:
    """What the decoder reads before it answers.

    embeds: [1, P, D], in the decoder's type and on its device. visual: [K] int64, where the visual
    rows stand in it. positions: [..., 1, P] int64 as the decoder's position_ids, None to count from
    0; the answer goes on at `start`, None for after the largest. extra: keyword arguments of the
    prefill call alone.
    """

    embeds: Tensor
    visual: Tensor
    positions: Tensor | None = None
    start: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.embeds.shape[1]


@torch.inference_mode()
def splice(lm: nn.Module, parts: Sequence[Tensor], **fields: Any) -> Prompt:
    """Join a prompt's parts in order: int64 [n] are token ids, float [n, D] are visual rows.

    `fields` are Prompt's further ones (positions, extra).
    """
    table = lm.get_input_embeddings()
    rows, visual, at = [], [], 0
    for part in parts:
        where = table.weight.device
        if part.is_floating_point():
            rows.append(part.to(where, table.weight.dtype))
            visual.append(torch.arange(at, at + len(part)))
        else:
            rows.append(table(part.to(where)))
        at += len(part)
    places = torch.cat(visual) if visual else torch.empty(0, dtype=torch.int64)
    return Prompt(torch.cat(rows)[None], places, **fields)


def kept_order(kept: Compression) -> Tensor:
    """[K] int64: the order in which kept tokens enter a prompt, by their hub's frame and cell."""
    return torch.argsort(kept.hub[:, 0] * kept.share.shape[1] + kept.hub[:, 1], stable=True)


def visual_rows(encoded: Encoded, kept: Kept) -> Tensor:
    """[K, D] float32: the visual rows of a prompt; all T*N of them unless `kept` is a Compression.

    Raises ValueError where the compression is not one of this clip's tokens.
    """
    if not isinstance(kept, Compression):
        return encoded.tokens.flatten(0, 1)
    same_shape = kept.share.shape == encoded.tokens.shape[:2]
    if not same_shape or kept.tokens.shape[1] != encoded.tokens.shape[2]:
        raise ValueError("these kept tokens come from another clip or another model")
    return kept.tokens[kept_order(kept)]


def pruning(lm: nn.Module, prompt: Prompt, kept: Kept) -> Around:
    """The context in which the decoder runs for `kept`: none unless it is an InDecoder.

    One for each run. Raises ValueError or ModelError where it cannot be done (pruning.Pruner).
    """
    if isinstance(kept, InDecoder):
        return Pruner(lm, prompt.visual, len(prompt), kept)
    return nullcontext


class Run:
    """One prompt's way through a decoder: its cache, and the position where the next token stands.

    `prefill` comes first and once; then `feed`, any number of times.
    """

    def __init__(self, lm: nn.Module, prompt: Prompt, around: Around = nullcontext) -> None:
        self._lm, self._prompt, self._around = lm, prompt, around
        self._cache: Any = None
        self._position = len(prompt) if prompt.start is None else prompt.start
        if prompt.positions is not None and prompt.start is None:
            self._position = int(prompt.positions.max()) + 1

    @torch.inference_mode()
    def prefill(self, prefix: Prefix | None = None) -> Tensor:
        """Run the prompt: [V] float32, the logits of the answer's first token.

        prefix: shares what it has read of the prompt's beginning, and learns this prompt.
        """
        from transformers import DynamicCache

        prompt = self._prompt
        extra = dict(prompt.extra)
        if prompt.positions is not None:
            extra["position_ids"] = prompt.positions.to(prompt.embeds.device)
        cache, known = prefix.begin(prompt) if prefix else (None, 0)
        if cache is None:
            cache = DynamicCache(config=self._lm.config.get_text_config(decoder=True))
        self._cache = cache
        if known:
            extra["position_ids"] = torch.arange(known, len(prompt), device=self._device)[None]
        if prefix:
            prefix.keep(self._cache)
        return self._forward(inputs_embeds=prompt.embeds[:, known:], logits_to_keep=1, **extra)[-1]

    def back(self, count: int) -> None:
        """Forget the last `count` tokens that were fed."""
        self._position -= count
        if count:
            self._cache.crop(-count)

    @property
    def _device(self) -> torch.device:
        return self._prompt.embeds.device

    @torch.inference_mode()
    def feed(self, ids: Sequence[int] | Tensor) -> Tensor:
        """Run A further tokens over the cache: [A, V] float32, the logits after each of them."""
        ids = torch.as_tensor(ids, device=self._device)
        positions = torch.arange(self._position, self._position + len(ids), device=ids.device)
        self._position += len(ids)
        lead = (1,) if self._prompt.positions is None else self._prompt.positions.shape[:-1]
        return self._forward(input_ids=ids[None], position_ids=positions.expand(*lead, -1))

    def _forward(self, **inputs: Any) -> Tensor:
        with self._around(self._cache):
            out = self._lm(**cached(self._lm, self._cache), **inputs)
        return out.logits[0].float()


def cached(lm: nn.Module, cache: Any) -> dict[str, Any]:
    """The arguments that make `lm` read and write `cache`; transformers 5.24 renamed one."""
    return {_cache_name(type(lm)): cache, "use_cache": True}


@lru_cache(maxsize=32)
def _cache_name(decoder: type[nn.Module]) -> str:
    return "cache" if "cache" in signature(decoder.forward).parameters else "past_key_values"


def greedy(
    lm: nn.Module,
    prompt: Prompt,
    end: Iterable[int],
    *,
    max_new_tokens: int = 64,
    stop: Callable[[], bool] | None = None,
    around: Around = nullcontext,
) -> Iterator[int]:
    """Yield the likeliest token ids one by one, the end token (one of `end`) included.

    The ids are those of `generate(do_sample=False)` without penalties. `stop` is asked before each.
    """
    run, end, last = Run(lm, prompt, around), frozenset(end), None
    for _ in range(max_new_tokens):
        if stop is not None and stop():
            return
        logits = run.prefill() if last is None else run.feed([last])[-1]
        last = int(logits.argmax())
        yield last
        if last in end:
            return


def text_pieces(tokenizer: Any, ids: Iterable[int]) -> Iterator[str]:
    """Yield text as ids arrive, no piece empty; joined they are the decoded whole.

    A character of several tokens comes out once it is complete; special tokens never do.
    """
    seen: list[int] = []
    sent = ""
    for token in ids:
        seen.append(token)
        whole = decode(tokenizer, seen)
        ready = whole.rstrip("\N{REPLACEMENT CHARACTER}")  # an unfinished character decodes to it
        if len(ready) > len(sent) and ready.startswith(sent):
            yield ready[len(sent) :]
            sent = ready
    rest = decode(tokenizer, seen)[len(sent) :]
    if rest:
        yield rest


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of `ids` without special tokens, its spaces untouched."""
    return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def log_probabilities(
    lm: nn.Module, prompt: Prompt, ids: Tensor, around: Around = nullcontext
) -> Tensor:
    """[A, V] float32 on the CPU: next-token log-probabilities along the answer `ids` [A].

    The prompt runs first and the answer over its cache, as in answering.
    """
    run = Run(lm, prompt, around)
    logits = run.prefill()[None]
    if len(ids) > 1:
        logits = torch.cat([logits, run.feed(ids[:-1])])
    return logits[: len(ids)].log_softmax(-1).cpu()


def end_tokens(lm: nn.Module, tokenizer: Any) -> set[int]:
    """The ids that end an answer: the generation config's, and the tokenizer's own."""
    listed = lm.generation_config.eos_token_id
    ends = set(listed) if isinstance(listed, (list, tuple)) else {listed}
    return (ends | {tokenizer.eos_token_id}) - {None}
