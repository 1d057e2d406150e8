"""What every adapter around a class of transformers shares.

Knows how a clip is encoded in batches, how a chat turn is written and laid out with the tokens that
were kept, and the calls of the contract. Leaves what a family does its own way to a Family, one in
each of the files beside this; prefill, decoding and scores to decoding.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scissor.cost import Shape, shape_of
from scissor.models.contract import Kept, ModelError
from scissor.models.decoding import (
    Prompt,
    end_tokens,
    greedy,
    kept_order,
    log_probabilities,
    pruning,
    text_pieces,
    visual_rows,
)
from scissor.models.loading import Checkpoint
from scissor.models.pixels import HALF, Statistics, statistics_of
from scissor.types import Compression, Encoded, InDecoder, Video

BATCH = 8
"""Frames that pass a tower at once: 8 x 729 patches, a bound on memory."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a tower made of some frames, on the CPU in float32.

    tokens: [t, N, D], t temporal steps. grid: (rows, cols) of N. attention: [t, N] where asked for.
    rows: further values a token that answering needs, each [t, N, ...].
    """

    tokens: Tensor
    grid: tuple[int, int]
    attention: Tensor | None = None
    rows: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Layout:
    """A chat turn as ids, laid out with all of the clip's tokens, and what stays of it.

    ids: [P] int64, a placeholder for every visual token. slots: [T*N] int64, where these stand.
    columns: [P'] int64, the columns of `ids` that stay. hubs: [K] int64, the visual tokens among
    them, in their order.
    """

    ids: Tensor
    slots: Tensor
    columns: Tensor
    hubs: Tensor


@dataclass(frozen=True)
class Family:
    """What a family does its own way.

    see: frames [t, H, W, 3] uint8 to tokens; it gets the model, the frames, the pixels' statistics
    and whether attention is wanted. chat: the turn for a checkpoint without a template that shows
    videos, with {question}; always=True where that is the family's own. video: what stands for the
    clip in it. words: the text in its place, in which `slot` stands for all tokens of one frame.
    finish: gives a prompt what else the decoder wants. extras: of a clip, for answering.
    stride: frames of a temporal step. prune_from: the first layer after which the decoder may drop
    tokens. statistics: the pixels', where the checkpoint has none of its own.
    """

    see: Callable[[nn.Module, np.ndarray, Statistics, bool], Seen]
    chat: str
    video: str
    slot: str
    words: Callable[[Encoded], str]
    finish: Callable[[nn.Module, Prompt, Layout, Encoded], Prompt] = lambda lm, prompt, *_: prompt
    extras: Callable[[nn.Module, Video], dict[str, Any]] = lambda lm, video: {}
    stride: int = 1
    max_frames: int = 32
    prune_from: int = 1
    statistics: Statistics = HALF
    always: bool = False


class Adapter:
    """A VideoLLM (contract.py) around a generating model of transformers and its tokenizer.

    template: a chat template, None for the family's. source: tells checkpoints of one name apart.
    """

    def __init__(
        self,
        family: Family,
        lm: nn.Module,
        tokenizer: Any,
        name: str,
        *,
        template: str | None = None,
        statistics: Statistics | None = None,
        source: str = "",
    ) -> None:
        self.name, self.max_frames = name, family.max_frames
        self._family, self._lm, self._tokenizer = family, lm, tokenizer
        self._template = None if family.always else template
        self._statistics = statistics or family.statistics
        self._source = f"{source}|{name}|{lm.dtype}"

    @property
    def shape(self) -> Shape:
        """The decoder's sizes, for cost.py."""
        return shape_of(self._lm.config)

    def encode(self, video: Video, *, attention: bool = False) -> Encoded:
        """Visual tokens [T, N, D], T temporal steps; attention [T, N] on request.

        Raises ValueError for a clip of more than max_frames frames.
        """
        if len(video.frames) > self.max_frames:
            raise ValueError(f"{self.name} reads at most {self.max_frames} frames")
        stride = self._family.stride
        frames, times = whole_steps(video, stride)
        parts = [
            self._see(frames[start : start + BATCH], attention)
            for start in range(0, len(frames), BATCH)
        ]
        return Encoded(
            tokens=torch.cat([part.tokens for part in parts]),
            grid=parts[0].grid,
            times=times,
            model=self.name,
            key=hashlib.sha256(f"{self._source}|{video.key}".encode()).hexdigest(),
            attention=torch.cat([part.attention for part in parts]) if attention else None,
            extras=self._family.extras(self._lm, video)
            | {name: torch.cat([part.rows[name] for part in parts]) for name in parts[0].rows},
        )

    def answer(
        self,
        encoded: Encoded,
        kept: Kept,
        question: str,
        *,
        max_new_tokens: int = 64,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Yield the greedy answer in pieces of text (contract.VideoLLM.answer)."""
        prompt = self.prompt(encoded, kept, question)
        ids = greedy(
            self._lm,
            prompt,
            end_tokens(self._lm, self._tokenizer),
            max_new_tokens=max_new_tokens,
            stop=stop,
            around=pruning(self._lm, prompt, kept),
        )
        return text_pieces(self._tokenizer, ids)

    def score(self, encoded: Encoded, kept: Kept, question: str, answer: str) -> Tensor:
        """[A, V] log-probabilities along `answer` (contract.VideoLLM.score)."""
        prompt = self.prompt(encoded, kept, question)
        around = pruning(self._lm, prompt, kept)
        return log_probabilities(self._lm, prompt, self.answer_ids(answer), around)

    def answer_ids(self, answer: str) -> Tensor:
        """[A] ids of `answer` and the end of turn."""
        ids = self._tokenizer(answer, add_special_tokens=False)["input_ids"]
        return torch.tensor([*ids, self._tokenizer.eos_token_id])

    def prompt(self, encoded: Encoded, kept: Kept, question: str) -> Prompt:
        """The chat turn with the kept tokens in their frames' places; all text stays.

        Raises ValueError where the decoder cannot drop tokens as early as `kept` says.
        """
        if isinstance(kept, InDecoder) and kept.layer < self._family.prune_from:
            raise ValueError(
                f"{self.name} feeds visual tokens into its first layers: prune after at least "
                f"{self._family.prune_from} of them, not {kept.layer}"
            )
        rows = visual_rows(encoded, kept)
        layout = self.layout(encoded, kept, question)
        prompt = fill(self._lm, layout, rows, encoded.extras.get("newline"))
        return self._family.finish(self._lm, prompt, layout, encoded)

    def layout(self, encoded: Encoded, kept: Kept, question: str) -> Layout:
        """Where the text and the kept tokens stand among all of the clip's tokens."""
        turn = chat_turn(self._family, self._tokenizer, self._template, question)
        text = turn.replace(self._family.video, self._family.words(encoded), 1)
        started = bool(self._tokenizer.bos_token) and text.startswith(self._tokenizer.bos_token)
        ids = torch.tensor(self._tokenizer(text, add_special_tokens=not started)["input_ids"])
        slot = self._tokenizer.convert_tokens_to_ids(self._family.slot)
        return lay_out(ids, slot, encoded, kept)

    @torch.inference_mode()
    def _see(self, frames: np.ndarray, attention: bool) -> Seen:
        return self._family.see(self._lm, frames, self._statistics, attention)


def load_adapter(family: Family, lm: nn.Module, checkpoint: Checkpoint, tokenizer: Any) -> Adapter:
    """An adapter with what the checkpoint's own files say of chat and pixels."""
    return Adapter(
        family,
        lm,
        tokenizer,
        checkpoint.name,
        template=own_template(checkpoint.folder, tokenizer),
        statistics=statistics_of(checkpoint.folder, family.statistics),
        source=str(checkpoint.folder),
    )


def whole_steps(video: Video, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """(frames, the last repeated until steps are whole; [T] float64, the middle of each step)."""
    short = -len(video.frames) % stride
    frames = np.concatenate([video.frames, np.repeat(video.frames[-1:], short, axis=0)])
    times = np.concatenate([video.times, np.repeat(video.times[-1:], short)]).reshape(-1, stride)
    return frames, (times[:, 0] + times[:, -1]) / 2


def lay_out(ids: Tensor, slot: int, encoded: Encoded, kept: Kept) -> Layout:
    """Make N columns of every frame's slot, then keep the text and the kept tokens' columns."""
    T, N, _ = encoded.tokens.shape
    found = (ids == slot).nonzero()[:, 0]
    if len(found) != T + ("newline" in encoded.extras):
        raise ModelError("This checkpoint's tokenizer does not know its family's video tokens.")
    counts = torch.ones_like(ids)
    counts[found[:T]] = N
    first = counts.cumsum(0)[found[:T]] - N
    slots = (first[:, None] + torch.arange(N)).flatten()
    full = ids.repeat_interleave(counts)
    hubs = torch.arange(T * N)
    if isinstance(kept, Compression):
        hubs = (kept.hub[:, 0] * N + kept.hub[:, 1])[kept_order(kept)]
    text = torch.ones(len(full), dtype=torch.bool)
    text[slots] = False
    columns = torch.cat([text.nonzero()[:, 0], slots[hubs]]).sort(stable=True).values
    return Layout(full, slots, columns, hubs)


@torch.inference_mode()
def fill(lm: nn.Module, layout: Layout, rows: Tensor, newline: Tensor | None = None) -> Prompt:
    """The prompt of a layout: `rows` [K, D] in the kept tokens' columns, embedded text elsewhere.

    newline: [D], the row of the placeholder after the last frame, for families that have one.
    """
    table = lm.get_input_embeddings()
    where, kind = table.weight.device, table.weight.dtype
    visual = torch.isin(layout.columns, layout.slots).nonzero()[:, 0]
    embeds = table(layout.ids[layout.columns].to(where)).clone()
    embeds[visual.to(where)] = rows.to(where, kind)
    if newline is not None:
        end = int(torch.searchsorted(layout.columns, layout.slots[-1] + 1))
        embeds[end] = newline.to(where, kind)
    return Prompt(embeds[None], visual)


def chat_turn(family: Family, tokenizer: Any, template: str | None, question: str) -> str:
    """The text of one turn, family.video standing for the clip."""
    for token in tokenizer.added_tokens_decoder.values():
        if token.special or token.content in (family.video, family.slot):
            # a visitor's words must not end the turn or stand for the video
            question = question.replace(token.content, f"{token.content[0]} {token.content[1:]}")
    if template is not None:
        content = [{"type": "video"}, {"type": "text", "text": question}]
        written = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=template,
            add_generation_prompt=True,
            tokenize=False,
        )
        if family.video in written:
            return written
    return family.chat.format(question=question)


def own_template(folder: Path, tokenizer: Any) -> str | None:
    """The checkpoint's own chat template: the tokenizer's, or one of the processor's files."""
    found = getattr(tokenizer, "chat_template", None)
    for name in ("chat_template.json", "processor_config.json"):
        if not found and (folder / name).is_file():
            found = json.loads((folder / name).read_text(encoding="utf-8")).get("chat_template")
    return found if isinstance(found, str) else None


def on_cpu(tokens: Tensor, frames: int) -> Tensor:
    """[frames, N, D] float32 from [frames*N, D] or [frames, N, D] of any type."""
    return tokens.float().cpu().reshape(frames, -1, tokens.shape[-1])
