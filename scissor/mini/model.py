"""The embedded model as one module.

Knows how frames become visual tokens, and a prompt's rows from any of them. Leaves weights to
loading.py, compression to scc.py and methods/, and answers to models/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from scissor.mini.config import Config
from scissor.mini.decoder import build_decoder
from scissor.mini.names import Names
from scissor.mini.projector import PlaceEmbedding, Reader
from scissor.mini.tower import Seen, Tower

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class Mini(nn.Module):
    """Tower, reader, place embedding and decoder.

    names: ImageNet's classes as words, then the drawn names (config.drawn).
    """

    def __init__(
        self, config: Config, tokenizer: PreTrainedTokenizerFast, names: Sequence[str]
    ) -> None:
        super().__init__()
        self.config, self.tokenizer, self.class_names = config, tokenizer, list(names)
        self.tower = Tower(config)
        self.reader = Reader(config)
        self.place = PlaceEmbedding(config)
        self.decoder = build_decoder(config)
        with torch.device("cpu"):
            self.names = Names(names, lambda text: tokenizer.encode(text, add_special_tokens=False))

    @property
    def table(self) -> Tensor:
        """[V, D]: the decoder's input embeddings."""
        return self.decoder.get_input_embeddings().weight

    def tokens(self, seen: Seen) -> Tensor:
        """What the tower saw -> visual tokens [B, N, D], without place and time."""
        return self.reader(seen, self.names(self.table))

    def encode(self, frames: Tensor) -> Tensor:
        """[B, S, S, 3] uint8 RGB -> visual tokens [B, N, D]."""
        return self.tokens(self.tower(frames))

    def encode_with_attention(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """As encode, and [B, N]: the attention each token receives in the reader's last block."""
        return self.reader.with_attention(self.tower(frames), self.names(self.table))


def build(config: Config, tokenizer: PreTrainedTokenizerFast, names: Sequence[str]) -> Mini:
    """The model with fresh weights; without any under torch.device("meta")."""
    return Mini(config, tokenizer, names)
