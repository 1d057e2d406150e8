"""What the server keeps between a visitor's moves: encoded clips and the model that read them.

Knows bounded caches and handles. Leaves reading clips to video.py and encoding to models/. A clip's
cache entry holds nothing of the visitor who brought it: the same clip brought by two is encoded
once, and each reaches it only through a handle that cannot be guessed.
"""

from __future__ import annotations

import base64
import gc
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
import torch

from scissor import models
from scissor.budget import Curve
from scissor.cost import Shape
from scissor.models.contract import VideoLLM
from scissor.scc import Prepared, curve, prepare
from scissor.types import Encoded, Video
from scissor.ui.guess import Words, words_of

Value = TypeVar("Value")
PICTURE_WIDTH = 640
CLIP_BYTES = 768 * 2**20
HANDLES = 4096
EMBEDDED = "mini"
CURVE_POINTS = 20  # enough for a bracket and a chart; each costs a whole compression


class ByteCache(Generic[Value]):
    """The most recently used values, together at most `limit` bytes. Safe between threads."""

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self._limit, self._size, self._held = limit, size, 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """The value, now the most recently used; None if it is not held."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Hold a value; the least recently used leave until all fit."""
        with self._lock:
            if key in self._values:
                self._held -= self._size(self._values.pop(key))
            self._values[key] = value
            self._held += self._size(value)
            while self._held > self._limit:
                _, gone = self._values.popitem(last=False)
                self._held -= self._size(gone)

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip as one model sees it: tokens, what all thresholds share, small pictures to draw on.

    pictures: a JPEG data URI a temporal step, of the part that the model sees; thumbnails: smaller
    ones. aspect: their width over their height. seconds: what encoding took. source: the model as
    load_model takes it. shape: its decoder's sizes, where it tells them. words: what its tokens may
    be called.
    """

    encoded: Encoded
    prepared: Prepared
    curve: Curve
    pictures: tuple[str, ...]
    thumbnails: tuple[str, ...]
    aspect: float
    seconds: float
    source: str = ""
    shape: Shape | None = None
    words: Words | None = None

    @property
    def size(self) -> int:
        """Bytes, about."""
        tensors = self.encoded.tokens, self.prepared.units, self.prepared.similar
        extras = sum(getattr(x, "nbytes", 0) for x in self.encoded.extras.values())
        images = sum(map(len, self.pictures + self.thumbnails))
        return sum(t.nbytes for t in tensors) + extras + images


def encode(model: VideoLLM, video: Video, source: str = "") -> Clip:
    """Encode a clip and prepare everything that the dials need.

    source: what `model` was loaded by, its name where that is not given.
    """
    started = perf_counter()
    encoded = model.encode(video, attention=True)  # the Compare tab's VisionZip reads it
    seconds = perf_counter() - started
    ready = prepare(encoded)
    shown = seen(video.frames, encoded)
    height, width = shown.shape[1:3]
    return Clip(
        encoded,
        ready,
        curve(ready, CURVE_POINTS),
        tuple(picture(frame) for frame in shown),
        tuple(picture(frame, width=160, quality=70) for frame in shown),
        width / height,
        seconds,
        source or model.name,
        getattr(model, "shape", None),
        words_of(model),
    )


def seen(frames: np.ndarray, encoded: Encoded) -> np.ndarray:
    """[T, h, w, 3]: of every temporal step the first frame, cut to the part that the model sees."""
    stride = -(-len(frames) // len(encoded.tokens))
    height, width = frames.shape[1:3]
    top, left, bottom, right = encoded.extras.get("window", (0, 0, 1, 1))
    rows = slice(round(top * height), round(bottom * height))
    return frames[::stride, rows, round(left * width) : round(right * width)]


def picture(frame: np.ndarray, width: int = PICTURE_WIDTH, quality: int = 82) -> str:
    """A frame [H, W, 3] uint8 RGB as a JPEG data URI, at most `width` wide."""
    scale = min(1.0, width / frame.shape[1])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


class Store:
    """Encoded clips behind handles."""

    def __init__(self, limit: int = CLIP_BYTES) -> None:
        self._clips: ByteCache[Clip] = ByteCache(limit, lambda clip: clip.size)
        self._keys: ByteCache[str] = ByteCache(HANDLES, lambda key: 1)

    def find(self, key: str) -> Clip | None:
        """The clip encoded under that key (content, sampling, model), if it is still held."""
        return self._clips.get(key)

    def hand_out(self, key: str, clip: Clip) -> str:
        """Hold the clip and return a new handle to it."""
        self._clips.put(key, clip)
        handle = secrets.token_urlsafe(12)
        self._keys.put(handle, key)
        return handle

    def get(self, handle: Any) -> Clip | None:
        """The clip behind a handle; None for a handle that is unknown or whose clip has left."""
        key = self._keys.get(handle) if isinstance(handle, str) else None
        return None if key is None else self._clips.get(key)


class Shelf:
    """The models in memory: the embedded one, which is small, and the last other one."""

    def __init__(self) -> None:
        self._models: dict[bool, tuple[str, VideoLLM]] = {}  # embedded or not -> name, model
        # Held while a model is loaded or used. A plain lock: an answer that streams may be resumed,
        # and so be let go, by another thread than the one that began it.
        self.lock = threading.Lock()

    def holds(self, name: str) -> bool:
        """Whether that model is in memory."""
        return any(held == name for held, _ in list(self._models.values()))

    def take(self, name: str, tell: models.Progress | None = None) -> VideoLLM:
        """The model of that name, loaded if need be; to be called and used with the lock held.

        tell: hears how far loading is; what it raises ends it. Raises ModelError with a sentence.
        """
        slot = name == EMBEDDED
        if self._models.get(slot, ("", None))[0] != name:
            self._models.pop(slot, None)  # before the next one needs its memory
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._models[slot] = name, models.load_model(name, progress=tell)
        return self._models[slot][1]
