"""JPEG, PNG and GIF through Pillow: a picture is a clip of one frame, a GIF has many.

Knows Pillow, EXIF orientation and GIF's clock. Leaves which frames are wanted to sampling.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from scissor.decode.container import VideoError

MOST_PIXELS = 2e9  # of all frames of a GIF: 2000 of 1000 x 1000
DAMAGED = "This picture is damaged or cut off; save it again as JPEG, PNG or GIF."


def open_picture(kind: str) -> Image.Image:
    """The file `clip`, its pixels not read yet."""
    try:
        return Image.open("clip", formats=[kind])
    except Exception:
        raise VideoError(DAMAGED) from None


def clock(picture: Image.Image) -> tuple[np.ndarray, float]:
    """Times [N] of the frames in ms and the length of the whole in ms, 0 for a single frame."""
    count = getattr(picture, "n_frames", 1) if picture.format == "GIF" else 1
    if count == 1:
        return np.zeros(1), 0.0
    if count * picture.width * picture.height > MOST_PIXELS:  # each frame is painted on the last
        raise VideoError(
            f"This GIF has {count} frames of {picture.width} x {picture.height} pixels, too many "
            "to decode here; shorten it or save it as MP4."
        )
    shown = []
    for i in range(count):
        picture.seek(i)
        wait = picture.info.get("duration", 0)
        shown.append(wait if wait > 10 else 100)  # what browsers do with delays of 10 ms and less
    ends = np.cumsum(shown, dtype=float)
    return ends - shown, float(ends[-1])


def images(picture: Image.Image, picks: np.ndarray) -> Iterator[np.ndarray]:
    """The picked frames as [H, W, 3] RGB, upright, on white where they are transparent."""
    for i in picks:
        picture.seek(int(i))
        image = picture
        if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip instead of scale
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        image = ImageOps.exif_transpose(image).convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        yield np.asarray(Image.alpha_composite(paper, image).convert("RGB"))
