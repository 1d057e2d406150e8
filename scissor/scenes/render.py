"""Scenes as pixels, the same bytes on every machine.

Knows integer compositing and Pillow's fixed-point resizing. Leaves what stands where to scene.py.
Training draws the same scenes on a GPU with its own code.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
from PIL import Image

from scissor.scenes.library import Library
from scissor.scenes.scene import Actor, Scene, frame_times
from scissor.types import Video

SIDE = 448
ZOOM = 1.06  # a background's height over the frame's: the room for a slow pan
SECONDS = 4.0


def render(scene: Scene, library: Library, frames: int = 8) -> np.ndarray:
    """[frames, 448, 448, 3] uint8, RGB."""
    background = _background(scene, library)
    drawn = [_cutout(actor, library) for actor in scene.actors]
    clip = np.empty((frames, SIDE, SIDE, 3), dtype=np.uint8)
    for k, time in enumerate(frame_times(frames)):
        clip[k] = _view(background, scene.pan, time)
        for actor, cutout in zip(scene.actors, drawn, strict=True):
            box = actor.box(time)
            if box:
                _paste(clip[k], cutout, round(box[0] * SIDE), round(box[1] * SIDE))
    return clip


def clip(scene: Scene, library: Library, frames: int = 8, name: str = "scene") -> Video:
    """The scene as a clip of four seconds, as read_video would give it."""
    told = json.dumps([scene.as_dict(), frames], sort_keys=True)
    files = [library.pictures[actor.picture].file for actor in scene.actors]
    key = hashlib.sha256((told + "".join(files)).encode()).hexdigest()
    times = np.array(frame_times(frames)) * SECONDS
    return Video(render(scene, library, frames), times, SECONDS, name, key)


def _background(scene: Scene, library: Library) -> np.ndarray:
    """The whole background, at least as large as the frame."""
    if scene.background is None:
        return np.full((SIDE, SIDE, 3), scene.rgb, dtype=np.uint8)
    image = library.read_background(scene.background)
    high = round(SIDE * ZOOM)
    wide = max(high, round(high * image.width / image.height))
    return np.asarray(image.resize((wide, high), Image.Resampling.BILINEAR))


def _view(background: np.ndarray, pan: tuple, time: float) -> np.ndarray:
    (x0, y0), (x1, y1) = pan
    x, y = x0 + (x1 - x0) * time, y0 + (y1 - y0) * time
    left = round(x * (background.shape[1] - SIDE))
    top = round(y * (background.shape[0] - SIDE))
    return background[top : top + SIDE, left : left + SIDE]


def _cutout(actor: Actor, library: Library) -> np.ndarray:
    """[h, w, 4] uint8, premultiplied."""
    size = tuple(max(1, round(edge * SIDE)) for edge in actor.size)
    image = library.read_picture(actor.picture).convert("RGBa")
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def _paste(frame: np.ndarray, cutout: np.ndarray, left: int, top: int) -> None:
    """Over the frame in place, cropped to it; out = colour + below * (255 - alpha) / 255."""
    x0, y0 = max(0, left), max(0, top)
    x1 = min(frame.shape[1], left + cutout.shape[1])
    y1 = min(frame.shape[0], top + cutout.shape[0])
    piece = cutout[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.uint32)
    below = frame[y0:y1, x0:x1]
    mixed = piece[..., :3] + (below * (255 - piece[..., 3:]) + 127) // 255
    frame[y0:y1, x0:x1] = np.minimum(mixed, 255).astype(np.uint8)
