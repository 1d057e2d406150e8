"""Clip file -> Video: frames sampled uniformly from the first to the last, with their times.

Knows what an upload may be and how to stop a decoder: the file is copied under a name of our own
into a private folder, its first bytes decide what opens it, and a child process (decode/) reads it
under limits of time and memory. Leaves containers and pixels to decode/.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scissor.decode.container import PICTURES, VideoError, check_whole, kind_of
from scissor.types import Video

__all__ = ["Limits", "VideoError", "content_key", "read_video"]

_log = logging.getLogger(__name__)
_UNREADABLE = "The file cannot be read; choose a clip that may be opened."
# what the decoder gets of the environment; it has no business with the rest, tokens among it
_KEPT = ["PATH", "HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "LANG", "SYSTEMROOT", "WINDIR"]
_KEPT += ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]


@dataclass(frozen=True)
class Limits:
    """What an upload may be; `width` and `height` hold for lying and standing clips alike."""

    bytes: int = 200 * 2**20
    seconds: float = 60 * 60
    width: int = 4096
    height: int = 2304
    frames: int = 256
    timeout: float = 60.0  # seconds for the decoder


def read_video(
    path: str | os.PathLike[str],
    frames: int = 16,
    *,
    start: float | None = None,
    end: float | None = None,
    longest: int = 1280,
    limits: Limits = Limits(),
) -> Video:
    """Sample `frames` frames uniformly in time, the first and the last included.

    path: MP4, MOV, AVI, WebM, MKV or GIF; a JPEG or PNG is a clip of one frame. start, end: in
    seconds, to sample only between them. longest: larger frames are shrunk to that many pixels on
    the longer side. A clip with fewer frames than `frames` gives each of them once, so T may be
    smaller. Rotation and pixel shape are applied. In long, large clips, where walking to the exact
    frames would take too long, inner ones may lie up to a quarter of their spacing away; `times`
    always tell where they lie.

    Raises VideoError where the file or an argument is no good.
    """
    how = _sampling(frames, start, end, longest, limits)
    with tempfile.TemporaryDirectory(prefix="scissor-", ignore_cleanup_errors=True) as room:
        clip = Path(room, "clip")
        kind = _copy_in(path, clip, limits)
        content = _digest(clip)  # before the decoder mends what the container lacks
        bounds = {name: getattr(limits, name) for name in ("seconds", "width", "height", "timeout")}
        reply = _decode(room, {"kind": kind, **how, **bounds})
        sampled = np.fromfile(Path(room, "frames"), np.uint8).reshape(reply["shape"])
    key = hashlib.sha256(f"{content} {json.dumps(how)}".encode()).hexdigest()
    return Video(sampled, np.array(reply["times"]), reply["duration"], Path(path).name, key)


def content_key(path: str | os.PathLike[str]) -> str:
    """Sha-256 of a file's content, in hex: equal keys, equal content, whatever the name."""
    _size(path)
    try:
        return _digest(path)
    except OSError:
        raise VideoError(_UNREADABLE) from None


def _sampling(
    frames: int, start: float | None, end: float | None, longest: int, limits: Limits
) -> dict[str, Any]:
    """The request for the decoder, in plain numbers; VideoError where one makes no sense."""
    if not 1 <= frames <= limits.frames or frames != int(frames):
        raise VideoError(f"The frames must be a whole number from 1 to {limits.frames}; change it.")
    if not 1 <= longest <= 2**14 or longest != int(longest):
        raise VideoError("The longest side must be a whole number from 1 to 16384; change it.")
    for name, value in (("start", start), ("end", end)):
        if value is not None and not 0 <= value < math.inf:
            raise VideoError(f"The {name} must be a time in seconds, 0 or more; change it.")
    if end is not None and end <= (start or 0):
        raise VideoError("The end must come after the start; change one of them.")
    start, end = (None if value is None else float(value) for value in (start, end))
    return {"frames": int(frames), "start": start, "end": end, "longest": int(longest)}


def _size(path: str | os.PathLike[str]) -> int:
    """Bytes of a regular file; VideoError for anything else."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise VideoError("There is no such file; choose the clip again.") from None
    except (OSError, ValueError, TypeError):
        raise VideoError(_UNREADABLE) from None
    if stat.S_ISDIR(found.st_mode):
        raise VideoError("This is a folder; choose a single video file.")
    if not stat.S_ISREG(found.st_mode):
        raise VideoError("This is a device, not a file; choose a video file.")
    return found.st_size


def _copy_in(path: str | os.PathLike[str], clip: Path, limits: Limits) -> str:
    """Copy the upload to `clip` and return its kind, if it may be decoded at all."""
    size = _size(path)
    if size > limits.bytes:
        raise VideoError(
            f"The file has {size / 2**20:.4g} MB and the limit is {limits.bytes / 2**20:.4g} MB; "
            "cut or compress the clip first."
        )
    try:
        shutil.copyfile(path, clip)
    except OSError:
        raise VideoError(_UNREADABLE) from None
    with open(clip, "rb") as file:
        kind = kind_of(file.read(64))
        if kind not in PICTURES:
            check_whole(file, kind)
    return kind


def _digest(path: str | os.PathLike[str]) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decode(room: str, request: dict[str, Any]) -> dict[str, Any]:
    """Run the decoder on `room`/clip and return its reply; it is killed when its time is over."""
    with open(Path(room, "log"), "w+b") as log:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "scissor.decode"],
                input=json.dumps(request).encode(),
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=room,
                env=_environment(request["kind"]),
                timeout=request["timeout"],
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            reply = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            raise VideoError(
                f"Decoding was stopped after {request['timeout']:g} seconds; "
                "use a shorter or smaller clip."
            ) from None
        except OSError:
            raise VideoError(
                "The decoder cannot start here; check the installation of Python and OpenCV."
            ) from None
        except ValueError:
            log.seek(0)
            _log.warning("decoder ended with %d: %s", done.returncode, log.read()[-2000:])
            raise VideoError(
                "The decoder broke off on this file: it may be damaged; "
                "export it again as H.264 MP4."
            ) from None
    if "error" in reply:
        raise VideoError(reply["error"])
    return reply


def _environment(kind: str) -> dict[str, str]:
    """Variables of the decoder: what a process needs, our import path, FFmpeg bound to one file.

    FFmpeg may use the one demuxer that the first bytes call for, for nested streams too, and open
    nothing but files: no playlist, no network.
    """
    options = f"input_format;{kind}|format_whitelist;{kind}|protocol_whitelist;file"
    root = str(Path(__file__).resolve().parents[1])
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "PYTHONPATH": os.pathsep.join([*(os.path.abspath(p) for p in sys.path if p), root]),
        "OPENCV_FFMPEG_CAPTURE_OPTIONS": options,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
