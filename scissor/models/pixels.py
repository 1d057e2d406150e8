"""Frames become a vision tower's pixels.

Knows resizing and normalising, as the families' PIL image processors do it. Leaves sizes and
statistics to the families.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

HALF = (0.5, 0.5, 0.5)
"""SigLIP's mean and deviation of each channel, in [0, 1]."""


def frames_to_pixels(
    frames: np.ndarray,
    size: tuple[int, int],
    mean: tuple[float, float, float] = HALF,
    std: tuple[float, float, float] = HALF,
) -> Tensor:
    """[T, H, W, 3] uint8 RGB -> [T, 3, height, width] float32, resized bicubic to (height, width).

    The shape is not kept: a wide frame is squeezed, as these towers were trained.
    """
    height, width = size
    resized = [
        np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC))
        for frame in frames
    ]
    pixels = torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).float() / 255
    shape = (1, 3, 1, 1)
    return (pixels - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
