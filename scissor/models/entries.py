"""The models known by name: what they are, what they need.

Knows what their cards and configurations say, and against what each adapter was proved. Leaves
whether this machine can run one to catalog.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

GIB = 1024**3
CHECKED_ON = "2026-11-24"


@dataclass(frozen=True)
class Entry:
    """A model by name.

    repository: on the model hub, None for the embedded model; revision: the one to load.
    parameters: numbers in the checkpoint. grid: rows and columns of a step's tokens, of a 16:9 clip
    where `varies` (they follow its shape); frames_per_step: frames that share them. max_frames: the
    longest clip, in sampled frames. licence: of the weights. gated: the hub asks to accept terms.
    hardware: what it wants, in words. checked, checked_on: what the adapter was proved against.
    """

    name: str
    title: str
    repository: str | None
    licence: str
    parameters: int
    grid: tuple[int, int]
    hardware: str
    max_frames: int = 32
    revision: str = "main"
    gated: bool = False
    frames_per_step: int = 1
    varies: bool = False
    checked: str = "random weights"
    checked_on: str = CHECKED_ON

    @property
    def tokens_per_frame(self) -> float:
        """Visual tokens a frame; where it varies, of a 16:9 clip."""
        return self.grid[0] * self.grid[1] / self.frames_per_step

    def memory(self, dtype: torch.dtype, *, four_bit: bool = False) -> int:
        """Bytes to load the model in `dtype` and answer with it."""
        return memory_needed(self.parameters, dtype, four_bit)


def memory_needed(parameters: int, dtype: torch.dtype, four_bit: bool = False) -> int:
    """Bytes for weights in `dtype`, and about a gigabyte to work in.

    four_bit: about 0.7 bytes a weight, as embeddings and norms stay as they are.
    """
    size = 0.7 if four_bit else dtype.itemsize
    return int(parameters * size) + (GIB if parameters > 10**8 else GIB // 4)


SMALL_GPU = "a GPU with 4 GB, or a CPU with patience"
MIDDLE_GPU = "a GPU with 12 GB"
LARGE_GPU = "a GPU with 24 GB"
QWEN = {"grid": (12, 21), "frames_per_step": 2, "varies": True}

ENTRIES = (
    Entry(
        name="mini",
        title="mini (embedded)",
        repository=None,
        licence="Apache-2.0",
        parameters=65_270_791,
        grid=(14, 14),
        hardware="any laptop, no network",
        checked="its own weights",
    ),
    Entry(
        name="llava-onevision-0.5b",
        title="LLaVA-OneVision 0.5B",
        repository="llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
        licence="Apache-2.0",
        parameters=893_675_552,
        grid=(14, 14),
        hardware=SMALL_GPU,
    ),
    Entry(
        name="llava-onevision-7b",
        title="LLaVA-OneVision 7B",
        repository="llava-hf/llava-onevision-qwen2-7b-ov-hf",
        licence="Apache-2.0",
        parameters=8_030_807_584,
        grid=(14, 14),
        hardware=LARGE_GPU,
    ),
    Entry(
        name="llava-scissor-0.5b",
        title="LLaVA-Scissor 0.5B",
        repository="BBBBCHAN/LLaVA-Scissor-baseline-0.5B",
        licence="see its card",
        parameters=893_675_552,
        grid=(14, 14),
        hardware=SMALL_GPU,
    ),
    Entry(
        name="llava-scissor-7b",
        title="LLaVA-Scissor 7B",
        repository="BBBBCHAN/LLaVA-Scissor-baseline-7B",
        licence="see its card",
        parameters=8_030_807_584,
        grid=(14, 14),
        hardware=LARGE_GPU,
    ),
    Entry(
        name="llava-next-video-7b",
        title="LLaVA-NeXT-Video 7B",
        repository="llava-hf/LLaVA-NeXT-Video-7B-hf",
        licence="Llama 2",
        parameters=7_063_431_168,
        grid=(12, 12),
        max_frames=24,
        hardware=LARGE_GPU,
    ),
    Entry(
        name="qwen2.5-vl-3b",
        title="Qwen2.5-VL 3B",
        repository="Qwen/Qwen2.5-VL-3B-Instruct",
        licence="Qwen Research, not commercial",
        parameters=3_754_622_976,
        hardware=MIDDLE_GPU,
        **QWEN,
    ),
    Entry(
        name="qwen2.5-vl-7b",
        title="Qwen2.5-VL 7B",
        repository="Qwen/Qwen2.5-VL-7B-Instruct",
        licence="Apache-2.0",
        parameters=8_292_166_656,
        hardware=LARGE_GPU,
        **QWEN,
    ),
    Entry(
        name="qwen3-vl-2b",
        title="Qwen3-VL 2B",
        repository="Qwen/Qwen3-VL-2B-Instruct",
        licence="Apache-2.0",
        parameters=2_127_532_032,
        hardware=MIDDLE_GPU,
        **QWEN,
    ),
    Entry(
        name="qwen3-vl-4b",
        title="Qwen3-VL 4B",
        repository="Qwen/Qwen3-VL-4B-Instruct",
        licence="Apache-2.0",
        parameters=4_437_815_808,
        hardware=MIDDLE_GPU,
        **QWEN,
    ),
    Entry(
        name="qwen3-vl-8b",
        title="Qwen3-VL 8B",
        repository="Qwen/Qwen3-VL-8B-Instruct",
        licence="Apache-2.0",
        parameters=8_767_123_696,
        hardware=LARGE_GPU,
        **QWEN,
    ),
    Entry(
        name="smolvlm2-256m",
        title="SmolVLM2 256M",
        repository="HuggingFaceTB/SmolVLM2-256M-Video-Instruct",
        licence="Apache-2.0",
        parameters=256_484_928,
        grid=(8, 8),
        hardware="any laptop",
    ),
    Entry(
        name="smolvlm2-500m",
        title="SmolVLM2 500M",
        repository="HuggingFaceTB/SmolVLM2-500M-Video-Instruct",
        licence="Apache-2.0",
        parameters=507_482_304,
        grid=(8, 8),
        hardware="any laptop",
    ),
    Entry(
        name="smolvlm2-2.2b",
        title="SmolVLM2 2.2B",
        repository="HuggingFaceTB/SmolVLM2-2.2B-Instruct",
        licence="Apache-2.0",
        parameters=2_246_784_880,
        grid=(9, 9),
        hardware=MIDDLE_GPU,
    ),
    Entry(
        name="internvl3-1b",
        title="InternVL3 1B",
        repository="OpenGVLab/InternVL3-1B-hf",
        licence="MIT and Qwen2.5's, see its card",
        parameters=938_119_296,
        grid=(16, 16),
        hardware=SMALL_GPU,
    ),
    Entry(
        name="internvl3-2b",
        title="InternVL3 2B",
        repository="OpenGVLab/InternVL3-2B-hf",
        licence="MIT and Qwen2.5's, see its card",
        parameters=2_088_883_712,
        grid=(16, 16),
        hardware=MIDDLE_GPU,
    ),
    Entry(
        name="internvl3-8b",
        title="InternVL3 8B",
        repository="OpenGVLab/InternVL3-8B-hf",
        licence="MIT and Qwen2.5's, see its card",
        parameters=7_944_300_032,
        grid=(16, 16),
        hardware=LARGE_GPU,
    ),
)
