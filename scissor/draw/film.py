"""Overlays as pixels and as films that browsers play.

Knows how groups are painted over a frame (as the page's canvas does) and how a film is written.
Leaves the groups to overlay.py, colours to palette.py, and which frames a film has to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from scissor.draw.overlay import View
from scissor.draw.palette import colour_of

OPACITY = 0.55
BORDER = 2  # pixels
INK, PLATE, STRIPE = (236, 239, 242), (17, 20, 24), 0.45
Image8 = np.ndarray  # [H, W, 3] uint8, RGB


def even(frame: Image8) -> Image8:
    """A frame without a last odd row or column: encoders halve both sides."""
    return np.ascontiguousarray(frame[: len(frame) // 2 * 2, : frame.shape[1] // 2 * 2])


def painted(
    frame: Image8,
    view: View,
    at: int,
    grid: tuple[int, int],
    *,
    moved: Tensor | None = None,
    opacity: float = OPACITY,
) -> Image8:
    """Frame number `at` of a clip under its groups' colours; single tokens get an outline.

    moved: [T, N] bool, the tokens to hatch. Dark cells are painted thicker, for there is nothing to
    hide, and groups of a third of the clip and more thinner.
    """
    cells = _cells(frame.shape[:2], grid)
    ids = view.ids[at].numpy()
    names = [colour_of(int(c)) for c in view.colour]
    plain = np.array([name is None for name in names] + [True])  # the last stands for -1, dropped
    rgb = np.array([_rgb(name) for name in names] + [(0, 0, 0)], np.float32)
    giant = np.append(view.size.numpy() > view.ids.numel() / 3, False)
    alpha = thickness(cell_light(frame, grid), opacity) * np.where(giant[ids], 0.6, 1)
    alpha = np.where(plain[ids], 0, alpha)[cells][..., None]
    out = frame * (1 - alpha) + rgb[ids][cells] * alpha
    edge = _edges(ids[cells]) & ~plain[ids][cells]
    out[edge] = rgb[ids][cells][edge]
    _outline(out, cells, np.flatnonzero(plain[ids]), grid)
    if moved is not None:
        rows, cols = np.indices(frame.shape[:2])
        out[((rows + cols) % 6 == 0) & moved[at].numpy()[cells]] *= STRIPE
    return out.round().astype(np.uint8)


def cell_light(frame: Image8, grid: tuple[int, int]) -> np.ndarray:
    """[N] float: the mean brightness of every cell, 0 to 1."""
    small = cv2.resize(frame, grid[::-1], interpolation=cv2.INTER_AREA)
    return small.reshape(-1, 3) @ np.array([0.299, 0.587, 0.114]) / 255


def thickness(light: np.ndarray, opacity: float) -> np.ndarray:
    """How opaque a group's colour is over cells of that brightness."""
    return np.minimum(1, opacity * (1 + 0.6 * (1 - light) ** 2))


def captioned(frame: Image8, text: str) -> Image8:
    """The frame with a line of text below it."""
    height = 2 * max(14, round(len(frame) / 24))
    out = Image.new("RGB", (frame.shape[1], len(frame) + height), PLATE)
    out.paste(Image.fromarray(frame))
    font = ImageFont.load_default(size=height * 0.5)
    ImageDraw.Draw(out).text(
        (height // 3, len(frame) + height // 2), text, INK, font=font, anchor="lm"
    )
    return np.asarray(out)


def write_film(folder: Path, name: str, frames: Iterable[Image8], rate: int) -> Path:
    """Write frames of one even size [H, W, 3] as a film that browsers play; returns its path.

    H.264 in MP4 where PyAV is installed, else VP9 in WebM through OpenCV. rate: frames a second.
    Raises OSError where neither encoder works.
    """
    try:
        import av  # noqa: F401
    except ImportError:
        path = folder / f"{name}.webm"
        _write_webm(path, frames, rate)
    else:
        path = folder / f"{name}.mp4"
        _write_mp4(path, frames, rate)
    return path


def _write_mp4(path: Path, frames: Iterable[Image8], rate: int) -> None:
    import av

    with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("h264", rate=Fraction(rate), options={"crf": "20"})
        stream.pix_fmt = "yuv420p"
        frames = iter(frames)
        first = next(frames)
        stream.height, stream.width = first.shape[:2]
        for pixels in chain([first], frames):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())


def _write_webm(path: Path, frames: Iterable[Image8], rate: int) -> None:
    frames = iter(frames)
    first = next(frames)
    code = cv2.VideoWriter_fourcc(*"VP90")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, rate, first.shape[1::-1])
    if not writer.isOpened():
        raise OSError("this OpenCV cannot write films; install PyAV: pip install av")
    try:
        for pixels in chain([first], frames):
            writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    finally:
        writer.release()


def _cells(size: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
    """[H, W] int: the token whose cell covers each pixel."""
    edges = [np.rint(np.arange(1, n) * side / n) for side, n in zip(size, grid, strict=True)]
    row, col = (np.searchsorted(e, np.arange(s), "right") for e, s in zip(edges, size, strict=True))
    return row[:, None] * grid[1] + col


def _rgb(name: str | None) -> tuple[int, ...]:
    return tuple(bytes.fromhex(name[1:])) if name else (0, 0, 0)


def _edges(ids: np.ndarray) -> np.ndarray:
    """[H, W] bool: pixels within BORDER of another group or of the frame's end."""
    padded = np.pad(ids, BORDER, constant_values=-2)
    height, width = ids.shape
    edge = np.zeros(ids.shape, bool)
    for down, right in ((0, 1), (2, 1), (1, 0), (1, 2)):
        y, x = down * BORDER, right * BORDER
        edge |= padded[y : y + height, x : x + width] != ids
    return edge


def _outline(out: np.ndarray, cells: np.ndarray, tokens: np.ndarray, grid: tuple[int, int]) -> None:
    """A thin light line just inside the cells of single tokens, in place."""
    for token in tokens:
        rows = np.flatnonzero(cells[:, 0] // grid[1] == token // grid[1])
        cols = np.flatnonzero(cells[0] % grid[1] == token % grid[1])
        if len(rows) > 5 and len(cols) > 5:
            y, x = np.meshgrid(rows[2:-2], cols[2:-2], indexing="ij")
            inner = (y > rows[2]) & (y < rows[-3]) & (x > cols[2]) & (x < cols[-3])
            y, x = y[~inner], x[~inner]
            out[y, x] = (out[y, x] + 255) / 2
