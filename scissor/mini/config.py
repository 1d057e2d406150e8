"""The shape of the embedded model, as assets/mini/config.json writes it.

Knows every width and count that its modules are built from, and how many bits each part is stored
in. Leaves what the modules compute to their files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import prod
from pathlib import Path
from typing import Any

Stage = tuple[int, int, int, int, int]


def _decoder() -> dict[str, Any]:
    return {
        "vocab_size": 12032,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 12,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }


@dataclass(frozen=True)
class Config:
    """Everything the modules are built from.

    frame: side of the square pictures the tower reads, in pixels. glance: side at which it reads
    them once more, made small, 0 for not at all. mirror: side at which the branch alone reads them
    once more, mirrored, 0 for not at all. stages: (repeats, kernel, stride, expansion,
    width) of the tower's inverted bottlenecks. evidence: likeliest classes kept a cell, of
    ImageNet's and of the drawn ones each. drawn: names of drawn things that the classifier knows
    beside ImageNet's; if any, one more row stands for none of them. branch: the stage from which on
    drawn names have stages, head and classifier of their own (tower.py), 0 for none. gather: width
    of the keys by which cells share their evidence (projector.py), 0 for none. decoder: keyword
    arguments of transformers' LlamaConfig. bits: by prefix of a weight's name, the bits and the
    group length it is stored in (group 0: one scale an output row); the longest prefix rules, and
    vectors are stored as they are. The tower's first stages are small, and an error in them grows
    twentyfold on its way: they keep 16 bits.
    """

    frame: int = 448
    glance: int = 0
    mirror: int = 0
    max_frames: int = 32
    stem: int = 32
    stages: tuple[Stage, ...] = (
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    )
    taps: tuple[int, ...] = (6, 4, 3)
    head: int = 1280
    classes: int = 1000
    drawn: int = 0
    branch: int = 0
    evidence: int = 5
    reader_width: int = 384
    reader_layers: int = 4
    reader_heads: int = 6
    reader_ratio: int = 3
    gather: int = 0
    projector_width: int = 768
    place_frequencies: int = 8
    decoder: Mapping[str, Any] = field(default_factory=_decoder)
    bits: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {
            "": (8, 0),
            "tower": (8, 0),
            **{f"tower.{early}": (16, 0) for early in ("stem", *(f"stages.{i}" for i in range(4)))},
            "reader": (6, 32),
            "reader.position": (8, 0),
            "decoder": (4, 32),
            "decoder.model.embed_tokens": (6, 32),
        }
    )

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, cols) of a frame's tokens."""
        side = self.frame // (2 * prod(stage[2] for stage in self.stages))
        return side, side

    @property
    def features(self) -> int:
        """Channels of a cell's features: the tapped stages side by side, then the glance's last."""
        glanced = self.stages[-1][4] if self.glance else 0
        return sum(self.stages[tap][4] for tap in self.taps) + glanced

    @property
    def rows(self) -> int:
        """Logits of a cell: ImageNet's classes, the drawn names, none of these."""
        return self.classes + (self.drawn + 1 if self.drawn else 0)

    @property
    def width(self) -> int:
        """Width D of a visual token and of the decoder."""
        return self.decoder["hidden_size"]

    def write(self, path: str | Path) -> None:
        """Write the configuration as JSON."""
        Path(path).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Config:
        """Read what `write` wrote. Raises TypeError for a name it does not know."""
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        raw["stages"] = tuple(tuple(stage) for stage in raw["stages"])
        raw["taps"] = tuple(raw["taps"])
        raw["bits"] = {name: tuple(spec) for name, spec in raw["bits"].items()}
        return cls(**raw)
