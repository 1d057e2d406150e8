"""Frames become a vision tower's pixels.

Knows resizing, cropping, normalising and cutting into patches, as the families' PIL image
processors do them, without torchvision. Leaves which of them, and sizes, to the families.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Triple = tuple[float, float, float]
BICUBIC, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS


@dataclass(frozen=True)
class Statistics:
    """Mean and deviation of each channel, in [0, 1], by which a tower's pixels are normalised."""

    mean: Triple
    std: Triple


HALF = Statistics((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CLIP = Statistics((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
IMAGENET = Statistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def statistics_of(folder: Path, default: Statistics) -> Statistics:
    """Those that a checkpoint's own files give for videos, else for images, else the default."""
    files = ("video_preprocessor_config.json", "preprocessor_config.json", "processor_config.json")
    for file in files:
        if not (folder / file).is_file():
            continue
        whole = json.loads((folder / file).read_text(encoding="utf-8"))
        for part in (whole, whole.get("video_processor"), whole.get("image_processor")):
            if part and part.get("image_mean") and part.get("image_std"):
                return Statistics(tuple(part["image_mean"]), tuple(part["image_std"]))
    return default


def frames_to_pixels(
    frames: np.ndarray, size: tuple[int, int], statistics: Statistics = HALF
) -> Tensor:
    """[T, H, W, 3] uint8 RGB -> [T, 3, height, width] float32, resized bicubic to (height, width).

    The shape is not kept: a wide frame is squeezed, as these towers were trained.
    """
    return normalised(resized(frames, size), statistics)


def resized(frames: np.ndarray, size: tuple[int, int], how: int = BICUBIC) -> np.ndarray:
    """[T, H, W, 3] uint8 -> [T, height, width, 3] uint8."""
    height, width = size
    return np.stack(
        [np.asarray(Image.fromarray(frame).resize((width, height), how)) for frame in frames]
    )


def normalised(frames: np.ndarray, statistics: Statistics) -> Tensor:
    """[T, H, W, 3] uint8 -> [T, 3, H, W] float32."""
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (statistics.mean, statistics.std))
    return (pixels - mean) / std


def central_square(frames: np.ndarray, side: int) -> np.ndarray:
    """[T, H, W, 3] -> [T, side, side, 3]: the shorter edge becomes `side`, the middle is kept."""
    height, width = frames.shape[1:3]
    short = min(height, width)
    frames = resized(frames, (int(side * height / short), int(side * width / short)))
    top, left = (frames.shape[1] - side) // 2, (frames.shape[2] - side) // 2
    return frames[:, top : top + side, left : left + side]


def long_edge(height: int, width: int, edge: int) -> tuple[int, int]:
    """(height, width) of a frame whose longer edge became `edge`, the other one made even."""
    if width >= height:
        shorter = int(edge / (width / height))
        return max(1, shorter + shorter % 2), edge
    shorter = int(edge * (width / height))
    return edge, max(1, shorter + shorter % 2)


def patch_size(height: int, width: int, unit: int, tokens: tuple[int, int]) -> tuple[int, int]:
    """(height, width) in whole units, about the frame's shape, with fewest to most `tokens`.

    One token covers unit x unit pixels. Raises ValueError for a frame 200 times longer than wide.
    """
    if max(height, width) > 200 * min(height, width):
        raise ValueError("this model reads no frame that is 200 times longer than wide")
    low, high = (count * unit * unit for count in tokens)
    tall, wide = round(height / unit) * unit, round(width / unit) * unit
    if tall * wide > high:
        shrink = math.sqrt(height * width / high)
        tall = max(unit, math.floor(height / shrink / unit) * unit)
        wide = max(unit, math.floor(width / shrink / unit) * unit)
    elif tall * wide < low:
        grow = math.sqrt(low / (height * width))
        tall, wide = (math.ceil(edge * grow / unit) * unit for edge in (height, width))
    return tall, wide


def cut_patches(pixels: Tensor, patch: int, merge: int, depth: int) -> Tensor:
    """[T, 3, H, W] -> [T/depth * H/patch * W/patch, 3 * depth * patch * patch], Qwen's order.

    `depth` frames make a temporal step. Patches that become one token (merge x merge) stand
    together, these cells in reading order, the steps one after the other.
    """
    steps = pixels.unflatten(0, (-1, depth))
    steps = steps.unflatten(-2, (-1, merge, patch)).unflatten(-1, (-1, merge, patch))
    # step, depth, channel, row, merge, patch, column, merge, patch
    return steps.permute(0, 3, 6, 4, 7, 2, 1, 5, 8).reshape(-1, 3 * depth * patch * patch)
