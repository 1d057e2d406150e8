"""Tiny clips for the tests: every frame carries its own number, so any reader can be checked."""

from fractions import Fraction

import av
import numpy as np

SIZE = (128, 64)  # width, height
CORNER = (220, 40, 40)  # RGB of the upper left corner, which tells how a picture is turned


def numbered(number, size=SIZE):
    """A frame [H, W, 3] with `number` in 16 black and white cells and a coloured corner."""
    width, height = size
    image = np.full((height, width, 3), 128, np.uint8)
    bits = np.array([number >> bit & 1 for bit in range(16)], np.uint8).reshape(4, 4) * 219 + 16
    cells = bits.repeat(height // 8, 0).repeat(width // 8, 1)
    top, left = height // 4, width // 4
    image[top : top + cells.shape[0], left : left + cells.shape[1]] = cells[..., None]
    image[: height // 4, : width // 4] = CORNER
    return image


def number(image):
    """The number that numbered() put into a frame, whatever its size and compression."""
    height, width = image.shape[:2]
    middles = (np.arange(4) + 2.5) / 8
    rows, columns = (middles * height).astype(int), (middles * width).astype(int)
    bits = image[rows][:, columns].mean(-1).reshape(-1) > 128
    return int(sum(int(bit) << place for place, bit in enumerate(bits)))


def numbers(video):
    """The numbers of all frames of a Video."""
    return [number(frame) for frame in video.frames]


class Pipe:
    """Takes bytes and cannot go back, as a recorder's output."""

    def __init__(self):
        self.bytes = bytearray()

    def write(self, data):
        self.bytes += data
        return len(data)


def write_clip(
    path,
    count=60,
    codec="libx264",
    *,
    fps=25,
    size=SIZE,
    times=None,
    turn=0,
    aspect=None,
    pipe=False,
    container_options=None,
    **options,
):
    """Write `count` numbered frames to `path`, whose suffix names the container; return it.

    times: milliseconds of each frame, for a variable rate. turn: rotation metadata, degrees against
    the clock. aspect: of a pixel. pipe: write as a recorder does, with no header filled in later.
    """
    container = {".mkv": "matroska"}.get(path.suffix, path.suffix[1:])
    target = Pipe() if pipe else str(path)
    options = {name.replace("_", "-"): str(value) for name, value in options.items()}
    unit = 1 / Fraction(fps) if times is None else Fraction(1, 1000)
    with av.open(target, "w", container, options=container_options or {}) as out:
        video = out.add_stream(codec, rate=fps, options=options)
        video.width, video.height = size
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.codec_context.time_base = unit
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        if turn:
            video.set_display_rotation(turn)
        for i in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(i, size), "rgb24")
            frame.pts, frame.time_base = (i if times is None else times[i]), unit
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    if pipe:
        path.write_bytes(target.bytes)
    return path
