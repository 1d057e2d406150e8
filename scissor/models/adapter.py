"""What every adapter around a class of transformers shares.

Knows how a clip is encoded in batches, how a chat turn is written and laid out with the tokens that
were kept, and the calls of the contract. Leaves what a family does its own way to a Family, one in
each of the files beside this; prefill, decoding and scores to decoding.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scissor.cost import Shape, shape_of
from scissor.models.chat import chat_turn, own_template
from scissor.models.contract import Kept
from scissor.models.decoding import (
    Prompt,
    end_tokens,
    greedy,
    log_probabilities,
    pruning,
    text_pieces,
    visual_rows,
)
from scissor.models.layout import Layout, fill, lay_out
from scissor.models.loading import Checkpoint
from scissor.models.native import generated
from scissor.models.pixels import HALF, Statistics, statistics_of
from scissor.types import Encoded, InDecoder, Video

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


@dataclass(frozen=True)
class Family:
    """What a family does its own way.

    see: frames [t, H, W, 3] uint8 to tokens; it gets the model, the frames, the pixels' statistics
    and whether attention is wanted. native: the same frames as the arguments of the model's own
    call; it gets what was encoded too. chat: the turn where no template of the checkpoint shows
    videos, with {question}; always=True where it goes before any. video: what stands for the
    clip in it. words: the text in its place, in which `slot` stands for all tokens of one frame.
    finish: gives a prompt what else the decoder wants. extras: of a clip, for answering.
    stride: frames of a temporal step. prune_from: the first layer after which the decoder may drop
    tokens. statistics: the pixels', where the checkpoint has none of its own.
    """

    see: Callable[[nn.Module, np.ndarray, Statistics, bool], Seen]
    native: Callable[[nn.Module, np.ndarray, Statistics, Encoded], dict[str, Any]]
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
            | {name: torch.cat([part.rows[name] for part in parts]) for name in parts[0].rows}
            | {"prune_from": self._family.prune_from},
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
        ids = self.ids(encoded, kept, question, max_new_tokens=max_new_tokens, stop=stop)
        return text_pieces(self._tokenizer, ids)

    def ids(
        self,
        encoded: Encoded,
        kept: Kept,
        question: str,
        *,
        max_new_tokens: int = 64,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[int]:
        """Yield the greedy answer's token ids, the end of turn included."""
        prompt = self.prompt(encoded, kept, question)
        return greedy(
            self._lm,
            prompt,
            end_tokens(self._lm, self._tokenizer),
            max_new_tokens=max_new_tokens,
            stop=stop,
            around=pruning(self._lm, prompt, kept),
        )

    def native(
        self, video: Video, encoded: Encoded, question: str, max_new_tokens: int
    ) -> tuple[list[int], Tensor]:
        """(token ids, [V] the first one's log-probabilities) of transformers' own path.

        It gets ids and pixels, and does the rest itself: the oracle for everything else here.
        """
        frames, _ = whole_steps(video, self._family.stride)
        more = self._family.native(self._lm, frames, self._statistics, encoded)
        layout = self.layout(encoded, None, question)
        if "video_grid_thw" in more:  # models that place tokens in three dimensions
            kinds = torch.zeros_like(layout.ids)
            kinds[layout.slots] = 2
            more["mm_token_type_ids"] = kinds[None].int()
        ends = end_tokens(self._lm, self._tokenizer)
        return generated(self._lm, ends, max_new_tokens, input_ids=layout.ids[None], **more)

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


def on_cpu(tokens: Tensor, frames: int) -> Tensor:
    """[frames, N, D] float32 from [frames*N, D] or [frames, N, D] of any type."""
    return tokens.float().cpu().reshape(frames, -1, tokens.shape[-1])
