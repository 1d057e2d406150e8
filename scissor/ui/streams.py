"""Live streams: a visitor's camera frames in, the kept tokens and what the canvas draws out.

Knows what a frame from outside may be, and how streams are bounded in number, bytes and age.
Leaves compressing to stream.py, encoding to the model and events to live.py.
"""

from __future__ import annotations

import base64
import binascii
import io
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from scissor.draw.overlay import group_sizes
from scissor.draw.steady import steady_colours
from scissor.stream import StreamCompressor
from scissor.types import Compression, Encoded
from scissor.ui.errors import RequestError
from scissor.ui.redraw import text

MOST_BYTES = 256 * 1024  # of a frame's JPEG; a browser sends 448 x 252, about 30 KB
LONGEST = 1280  # pixels on a side of a frame
HELD = 16  # frames whose tokens stay in memory, for the answer from all of them
CAP = 1024  # step-1 tokens held beside; older ones fold
BYTES = 15 * 2**20  # that a stream of mini's tokens takes at most
STREAMS = 24
IDLE = 120.0  # seconds after the last frame until a stream is forgotten
WORD = "data:image/jpeg;base64,"


def read_frame(data: Any) -> np.ndarray:
    """A camera frame [H, W, 3] uint8 RGB from a JPEG data URI.

    Raises RequestError for anything else: other formats whatever they are called, progressive JPEG
    (each of its scans decodes the whole picture again), too many bytes or pixels, damage.
    """
    if not isinstance(data, str) or not data.startswith(WORD):
        raise RequestError("A frame must be a JPEG picture; start the camera again.")
    if len(data) > len(WORD) + MOST_BYTES * 4 // 3:
        raise RequestError(f"A frame may have {MOST_BYTES // 1024} KB; choose a smaller picture.")
    try:
        picture = Image.open(
            io.BytesIO(base64.b64decode(data[len(WORD) :], validate=True)), formats=["JPEG"]
        )
        fits = max(picture.size) <= LONGEST and not picture.info.get("progressive")
        frame = np.array(picture.convert("RGB")) if fits else None
    except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise RequestError("This frame is damaged; start the camera again.") from None
    if frame is None:
        raise RequestError(
            f"A frame must be a plain JPEG of at most {LONGEST} x {LONGEST} pixels; "
            "choose a smaller picture."
        )
    return frame


class Stream:
    """One visitor's stream: its token set and how it was coloured last.

    lock: held while a frame is worked on; whoever finds it held drops his frame.
    """

    def __init__(self, tau: float) -> None:
        self.lock = threading.Lock()
        self.touched = self._started = monotonic()
        self._compressor = StreamCompressor(tau, CAP, HELD)
        self._times: deque[float] = deque(maxlen=HELD)
        self._colours: Tensor | None = None

    def push(self, tokens: Tensor, grid: tuple[int, int], tau: float) -> dict[str, Any]:
        """Take in a frame's tokens [N, D]; returns what the canvas draws now.

        Another tau than before starts anew from the frames that are held.
        """
        if tau != self._compressor.tau:
            fresh = StreamCompressor(tau, CAP, HELD, grid)
            for frame in self._compressor.inputs:
                fresh.push(frame)
            self._compressor = fresh
        self._compressor.grid = grid
        self._compressor.push(tokens)
        self.touched = monotonic()
        self._times.append(self.touched - self._started)
        return self._drawn()

    def read(self, model: str) -> tuple[Encoded, Compression, int]:
        """(All tokens of the frames held, the kept ones, how many of these no frame held shows)."""
        held = self._compressor
        if not held.pushed:
            raise RequestError("No frame has come yet. Start the camera first.")
        made = held.read()
        encoded = Encoded(
            held.inputs, made.grid, np.array(self._times), model, secrets.token_hex(16)
        )
        return encoded, made, int((group_sizes(made.group, made.kept) == 0).sum())

    def _drawn(self) -> dict[str, Any]:
        held = self._compressor
        made = held.read(merge=False)
        size = group_sizes(made.group, made.kept)
        colours = steady_colours(made, size, self._colours)
        self._colours = colours[made.group]
        frames, n = made.group.shape
        return {
            "grid": list(made.grid),
            "frames": frames,
            "ids": text(made.group.numpy().astype("<u2")),
            "colours": text(colours.numpy()),
            "tau": held.tau,
            "seen": [held.pushed, held.pushed * n],
            "held": made.counts[1],
            "kept": made.kept,
            "past": int((size == 0).sum()),
            "folds": held.folds,
        }


class Streams:
    """The streams of all visitors behind handles that cannot be guessed; safe between threads."""

    def __init__(
        self, limit: int = STREAMS, idle: float = IDLE, clock: Callable[[], float] = monotonic
    ) -> None:
        self._limit, self._idle, self._clock = limit, idle, clock
        self._streams: OrderedDict[str, Stream] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        self._forget()
        return len(self._streams)

    def start(self, tau: float) -> tuple[str, Stream]:
        """A new stream and its handle. Raises RequestError while too many are alive."""
        self._forget()
        with self._lock:
            if len(self._streams) >= self._limit:
                raise RequestError("Too many cameras are live here now. Try again in two minutes.")
            handle, stream = secrets.token_urlsafe(12), Stream(tau)
            self._streams[handle] = stream
        return handle, stream

    def get(self, handle: Any) -> Stream | None:
        """The stream behind a handle; None for a handle that is unknown or was forgotten."""
        self._forget()
        return self._streams.get(handle) if isinstance(handle, str) else None

    def end(self, handle: Any) -> None:
        """Forget a stream now."""
        with self._lock:
            if isinstance(handle, str):
                self._streams.pop(handle, None)

    def _forget(self) -> None:
        late = self._clock() - self._idle
        with self._lock:
            for handle in [h for h, s in self._streams.items() if s.touched < late]:
                del self._streams[handle]


def threshold(value: Any, default: float = 0.85) -> float:
    """A tau from the page's JSON, in [-1, 1]; the default for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return default
    return float(min(max(value, -1.0), 1.0))
