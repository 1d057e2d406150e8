"""The embedded model under the contract: it answers anywhere, without a hub.

Knows how a clip's frames reach its tower, and where kept tokens get their place. Leaves the modules
and their file to scissor/mini, prefill, decoding and scores to decoding.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor

from scissor import mini
from scissor.cost import Shape, shape_of
from scissor.mini.decoder import answer_ids, prompt_ids
from scissor.mini.loading import shipped
from scissor.mini.names import Names
from scissor.mini.tower import exact_convolutions
from scissor.models.contract import Kept, ModelError
from scissor.models.decoding import (
    Prompt,
    decode,
    end_tokens,
    greedy,
    kept_order,
    log_probabilities,
    pruning,
    splice,
    text_pieces,
    visual_rows,
)
from scissor.models.drafts import Followed, Prefix, follow
from scissor.models.loading import Checkpoint
from scissor.models.native import generated
from scissor.models.together import ROWS, follow_all
from scissor.types import Compression, Encoded, InDecoder, Video

BATCH = 8
"""Frames that pass the tower at once: threads wait less for each other, in 160 MB."""


def load(checkpoint: Checkpoint) -> Mini:
    """The embedded model. Raises ModelError if a file is missing or damaged."""
    folder, name = checkpoint.folder, checkpoint.name
    if checkpoint.four_bit:
        raise ModelError(f"{name} is small already: weights in 4 bits are not offered for it.")
    try:
        modules = mini.load(folder)
        # Random draws follow from the key: for the shipped model the same ones in every checkout.
        source = "" if folder == shipped() else str(folder)
        return Mini(modules, name, checkpoint.device, checkpoint.dtype, source=source)
    except FileNotFoundError as error:
        lost = Path(error.filename).name
        raise ModelError(f"{name} cannot be loaded: its folder lacks {lost}.") from error
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{name} cannot be loaded: its files are damaged.") from error


class Mini:
    """A VideoLLM (contract.py) around scissor.mini's modules.

    The decoder runs in `dtype`. What sees stays in float32: the tower's errors grow on their way.
    """

    def __init__(
        self,
        model: mini.Mini,
        name: str,
        device: torch.device,
        dtype: torch.dtype,
        *,
        source: str = "",
    ) -> None:
        self.name = name
        self.max_frames = model.config.max_frames
        self._model, self._device = model.to(device), device
        self._model.tower.to(memory_format=torch.channels_last)
        with torch.inference_mode():
            self._names = model.names(model.table)  # before the table may lose precision
        self._model.decoder.to(dtype)
        self._source = f"{source}|{name}"

    @property
    def shape(self) -> Shape:
        """The decoder's sizes, for cost.py."""
        return shape_of(self._model.decoder.config)

    def encode(self, video: Video, *, attention: bool = False) -> Encoded:
        """Visual tokens [T, N, D], without their place; attention of the reader's last block.

        Raises ValueError for a clip of more than max_frames frames.
        """
        if len(video.frames) > self.max_frames:
            raise ValueError(f"{self.name} reads at most {self.max_frames} frames")
        parts = [
            self._encode(video.frames[start : start + BATCH], attention)
            for start in range(0, len(video.frames), BATCH)
        ]
        tokens, received = zip(*parts, strict=True)
        return Encoded(
            tokens=torch.cat(tokens),
            grid=self._model.config.grid,
            times=video.times,
            model=self.name,
            key=hashlib.sha256(f"{self._source}|{video.key}".encode()).hexdigest(),
            attention=torch.cat(received) if attention else None,
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
        return text_pieces(self._model.tokenizer, ids)

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
        decoder = self._model.decoder
        prompt = self.prompt(encoded, kept, question)
        return greedy(
            decoder,
            prompt,
            end_tokens(decoder, self._model.tokenizer),
            max_new_tokens=max_new_tokens,
            stop=stop,
            around=pruning(decoder, prompt, kept),
        )

    def native(
        self, video: Video, encoded: Encoded, question: str, max_new_tokens: int
    ) -> tuple[list[int], Tensor]:
        """What transformers' generate() says to the same prompt (contract.VideoLLM.native)."""
        decoder = self._model.decoder
        ends = end_tokens(decoder, self._model.tokenizer)
        prompt = self.prompt(encoded, None, question)
        return generated(decoder, ends, max_new_tokens, inputs_embeds=prompt.embeds)

    def score(self, encoded: Encoded, kept: Kept, question: str, answer: str) -> Tensor:
        """[A, V] log-probabilities along `answer` (contract.VideoLLM.score)."""
        prompt = self.prompt(encoded, kept, question)
        around = pruning(self._model.decoder, prompt, kept)
        return log_probabilities(self._model.decoder, prompt, self.answer_ids(answer), around)

    def follow(
        self,
        encoded: Encoded,
        kept: Kept,
        question: str,
        draft: str,
        *,
        max_new_tokens: int = 64,
        prefix: Prefix | None = None,
    ) -> tuple[str, Followed]:
        """The greedy answer and the scores along `draft`, from one reading (drafts.follow)."""
        decoder, tokenizer = self._model.decoder, self._model.tokenizer
        prompt = self.prompt(encoded, kept, question)
        around = pruning(decoder, prompt, kept)
        found = follow(
            decoder,
            prompt,
            self.answer_ids(draft),
            end_tokens(decoder, tokenizer),
            max_new_tokens=max_new_tokens,
            around=around,
            prefix=prefix,
        )
        return decode(tokenizer, found.ids), found

    def follow_all(
        self,
        encoded: Encoded,
        asked: Sequence[tuple[Kept, str, str]],
        *,
        max_new_tokens: int = 64,
        rows: int = ROWS,
    ) -> list[tuple[str, Followed]]:
        """`follow` for every (kept, question, draft), many in one call (together.follow_all).

        What is pruned in the decoder is followed alone.
        """
        decoder, tokenizer = self._model.decoder, self._model.tokenizer
        alone = [k for k, (kept, *_) in enumerate(asked) if isinstance(kept, InDecoder)]
        found = {k: self.follow(encoded, *asked[k], max_new_tokens=max_new_tokens) for k in alone}
        others = [k for k in range(len(asked)) if k not in found]
        told = follow_all(
            decoder,
            [self.prompt(encoded, *asked[k][:2]) for k in others],
            [self.answer_ids(asked[k][2]) for k in others],
            end_tokens(decoder, tokenizer),
            max_new_tokens=max_new_tokens,
            rows=rows,
        )
        found |= {k: (decode(tokenizer, one.ids), one) for k, one in zip(others, told, strict=True)}
        return [found[k] for k in range(len(asked))]

    def answer_ids(self, answer: str) -> Tensor:
        """[A] ids of `answer` and the end of turn."""
        return answer_ids(self._model.tokenizer, answer)

    @torch.inference_mode()
    def embed_words(self, words: Sequence[str]) -> Tensor:
        """[len(words), D] float32: words as the mean of their input embeddings, which is where the
        reader puts what it recognises.
        """
        tokenizer = self._model.tokenizer
        names = Names(words, lambda text: tokenizer.encode(text, add_special_tokens=False))
        table = self._model.table
        return names.to(table.device)(table).float().cpu()

    def prompt(self, encoded: Encoded, kept: Kept, question: str) -> Prompt:
        """The chat turn with the visual rows, each with its place, before the question."""
        before, after = prompt_ids(self._model.tokenizer, question)
        return splice(self._model.decoder, [before, self.rows(encoded, kept), after])

    @torch.inference_mode()
    def rows(self, encoded: Encoded, kept: Kept) -> Tensor:
        """[K, D] float32: the visual rows with their place embedding, in the prompt's order."""
        place = encoded.places
        if isinstance(kept, Compression):
            place = kept.place[kept_order(kept)]
        rows = visual_rows(encoded, kept).to(self._device)
        return rows + self._model.place(place.to(self._device), len(encoded.tokens))

    @torch.inference_mode()
    def _encode(self, frames: np.ndarray, attention: bool) -> tuple[Tensor, Tensor | None]:
        """[B, N, D] tokens of a batch of frames and [B, N] attention if asked for, on the CPU."""
        pixels = squeeze(frames, self._model.config.frame).to(self._device)
        with exact_convolutions():
            seen = self._model.tower(pixels)
        if not attention:
            return self._model.reader(seen, self._names).cpu(), None
        tokens, received = self._model.reader.with_attention(seen, self._names)
        return tokens.cpu(), received.cpu()


def squeeze(frames: np.ndarray, side: int) -> Tensor:
    """[B, H, W, 3] uint8 -> [B, side, side, 3] uint8; a wide frame is squeezed, nothing is cut."""
    if frames.shape[1:3] == (side, side):
        return torch.from_numpy(np.array(frames))  # a copy that may be written to
    resized = [
        np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.BICUBIC))
        for frame in frames
    ]
    return torch.from_numpy(np.stack(resized))
