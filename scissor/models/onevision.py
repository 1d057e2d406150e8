"""LLaVA-OneVision (arXiv 2408.03326), through transformers' own class, without torchvision.

Knows the family's pixels, visual tokens, newline row and chat format. Leaves prefill, decoding and
scores to decoding.py, loading to loading.py.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scissor.cost import Shape, shape_of
from scissor.models.attention import received_attention
from scissor.models.contract import Kept
from scissor.models.decoding import (
    Prompt,
    end_tokens,
    greedy,
    log_probabilities,
    pruning,
    splice,
    text_pieces,
    visual_rows,
)
from scissor.models.loading import load_tokenizer, load_weights
from scissor.models.pixels import frames_to_pixels
from scissor.types import Encoded, Video

BATCH = 8
"""Frames that pass the tower at once: 8 x 729 patches, a bound on memory."""

CHAT = "<|im_start|>user <video>\n{question}<|im_end|><|im_start|>assistant\n"
"""The format that the family's processor writes, for a checkpoint that brings no template."""


def load(folder: Path, name: str, device: torch.device, dtype: torch.dtype) -> OneVision:
    """The checkpoint in `folder`. Raises ModelError (see loading.load_weights)."""
    from transformers import LlavaOnevisionForConditionalGeneration

    tokenizer = load_tokenizer(folder)
    lm = load_weights(LlavaOnevisionForConditionalGeneration, folder, device, dtype)
    return OneVision(lm, tokenizer, name, template=_template(folder, tokenizer), source=str(folder))


class OneVision:
    """A VideoLLM (contract.py) around LlavaOnevisionForConditionalGeneration and its tokenizer.

    template: the chat template, None for CHAT. source: tells checkpoints of one name apart.
    """

    max_frames = 32

    def __init__(
        self,
        lm: nn.Module,
        tokenizer: Any,
        name: str,
        *,
        template: str | None = None,
        source: str = "",
    ) -> None:
        self.name = name
        self._lm, self._tokenizer, self._template = lm, tokenizer, template
        self._source = f"{source}|{name}|{lm.dtype}"
        vision = lm.config.vision_config
        self._size = vision.image_size
        side = math.ceil(self._size // vision.patch_size / 2)
        self._grid = (side, side)

    @property
    def shape(self) -> Shape:
        """The decoder's sizes, for cost.py."""
        return shape_of(self._lm.config)

    def encode(self, video: Video, *, attention: bool = False) -> Encoded:
        """Visual tokens [T, 196, D]; extras["newline"] is the row that ends every video.

        attention: of the tower's last kept layer (it has no class token: the mean received), pooled
        like the tokens. Raises ValueError for a clip of more than max_frames frames.
        """
        if len(video.frames) > self.max_frames:
            raise ValueError(f"{self.name} reads at most {self.max_frames} frames")
        tokens, received = [], []
        for start in range(0, len(video.frames), BATCH):
            rows, seen = self._encode(video.frames[start : start + BATCH], attention)
            tokens.append(rows)
            received.append(seen)
        return Encoded(
            tokens=torch.cat(tokens),
            grid=self._grid,
            times=video.times,
            model=self.name,
            key=hashlib.sha256(f"{self._source}|{video.key}".encode()).hexdigest(),
            attention=torch.cat(received) if attention else None,
            extras={"newline": self._lm.model.image_newline.detach().float().cpu().clone()},
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
        return torch.tensor([*self._ids(answer), self._tokenizer.eos_token_id])

    def prompt(self, encoded: Encoded, kept: Kept, question: str) -> Prompt:
        """The chat turn with the visual rows and the newline row in the video's place."""
        before, after = self._chat(question).split("<video>", 1)
        rows = torch.cat([visual_rows(encoded, kept), encoded.extras["newline"][None]])
        prompt = splice(
            self._lm, [torch.tensor(self._ids(before)), rows, torch.tensor(self._ids(after))]
        )
        return replace(prompt, visual=prompt.visual[:-1])  # the newline is not a token of a frame

    @torch.inference_mode()
    def _encode(self, frames: Any, attention: bool) -> tuple[Tensor, Tensor | None]:
        """[B, N, D] tokens of a batch of frames and [B, N] attention if asked for, on the CPU."""
        model = self._lm.model
        pixels = frames_to_pixels(frames, (self._size, self._size))
        pixels = pixels.to(self._lm.device, self._lm.dtype)
        with received_attention(self._last_layer()) if attention else nullcontext([]) as seen:
            rows = model.get_video_features(pixels[None]).pooler_output[0]
        tokens = rows[:-1].float().cpu().unflatten(0, (len(frames), -1))
        if not attention:
            return tokens, None
        return tokens, model.apply_pooling(seen[0][..., None])[..., 0].cpu()

    def _last_layer(self) -> nn.Module:
        """The attention of the layer whose output the projector reads (the last, of several)."""
        tower = self._lm.model.vision_tower
        layers = getattr(tower, "vision_model", tower).encoder.layers
        chosen = self._lm.config.vision_feature_layer
        chosen = chosen if isinstance(chosen, int) else chosen[-1]
        # feature 0 is the embedding, feature i the output of layer i - 1
        return layers[(chosen if chosen >= 0 else chosen + len(layers) + 1) - 1].self_attn

    def _chat(self, question: str) -> str:
        for token in self._tokenizer.added_tokens_decoder.values():
            if token.special:  # a visitor's words must not end the turn or stand for the video
                question = question.replace(
                    token.content, f"{token.content[0]} {token.content[1:]}"
                )
        if self._template is None:
            return CHAT.format(question=question)
        content = [{"type": "video"}, {"type": "text", "text": question}]
        return self._tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=self._template,
            add_generation_prompt=True,
            tokenize=False,
        )

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]


def _template(folder: Path, tokenizer: Any) -> str | None:
    """The checkpoint's own chat template: the tokenizer's, or one of the processor's files."""
    found = getattr(tokenizer, "chat_template", None)
    for name in ("chat_template.json", "processor_config.json"):
        if not found and (folder / name).is_file():
            found = json.loads((folder / name).read_text(encoding="utf-8")).get("chat_template")
    return found if isinstance(found, str) and "<video>" in found else None
