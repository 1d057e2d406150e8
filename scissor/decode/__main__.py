"""Serve one request: `python -m scissor.decode` in a private folder.

Reads a request (JSON) from the input and the file `clip`; writes frames, raw RGB, into the file
`frames` and a reply (JSON) to the output: {"shape", "times", "duration"} or {"error"}. Knows the
order of the work and the limits that a process can set itself. Leaves the time limit to video.py.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO

import cv2
import numpy as np

from scissor.decode.container import PICTURES, VideoError, write_duration
from scissor.decode.sampling import check_size, check_times, fit, pick, span, thrifty
from scissor.decode.walker import Index, Walker, open_clip, scan

BUDGET = 1e9  # pixels decoded before inner frames may move: 500 of 1080p, 2 s on two cores
MEMORY = 4 << 30  # bytes of address space

Request = dict[str, Any]
Reply = dict[str, Any]


class Store:
    """Sampled frames in one file, all of them of the first one's size."""

    def __init__(self, file: BinaryIO, longest: int):
        self.file, self.longest = file, longest
        self.clear()

    def clear(self) -> None:
        """Forget the frames written so far."""
        self.file.seek(0)
        self.file.truncate()
        self.shape: tuple[int, ...] = ()
        self.times: list[float] = []

    def add(self, time: float, image: np.ndarray, aspect: float = 1.0) -> None:
        """Append the frame [H, W, 3] RGB that is seen from `time` ms on."""
        image = fit(image, self.longest, aspect)
        self.shape = self.shape or image.shape
        if image.shape != self.shape:  # some streams change their size on the way
            image = cv2.resize(image, self.shape[1::-1], interpolation=cv2.INTER_AREA)
        self.file.write(np.ascontiguousarray(image))
        self.times.append(time)

    def reply(self, length: float) -> Reply:
        """What the parent needs to read the frames of a clip of `length` ms."""
        seconds = [round(float(time) / 1000, 6) for time in self.times]
        return {
            "shape": [len(seconds), *self.shape],
            "times": seconds,
            "duration": round(length / 1000, 6),
        }


def choose(times: np.ndarray, request: Request) -> np.ndarray:
    """Indices of the frames to take from a clip whose frames are seen at `times` ms."""
    start, end = (None if request[k] is None else 1000 * request[k] for k in ("start", "end"))
    part = span(times, start, end)
    return part.start + pick(times[part], request["frames"])


def picture(request: Request, store: Store) -> Reply:
    """Answer for a JPEG, PNG or GIF."""
    from scissor.decode.pictures import DAMAGED, clock, images, open_picture  # videos start sooner

    with open_picture(request["kind"]) as source:
        check_size(*source.size, request)
        try:
            times, length = clock(source)
            check_times(length / 1000, request)
            picks = choose(times, request)
            for i, image in zip(picks, images(source, picks), strict=True):
                store.add(times[i], image)
        except VideoError:
            raise
        except Exception:  # Pillow's parsers raise nearly anything on broken files
            raise VideoError(DAMAGED) from None
    return store.reply(length)


def video(request: Request, store: Store) -> Reply:
    """Answer for a clip that FFmpeg decodes."""
    index = scan(request["seconds"] + 1)
    check_times((index.times[-1] + index.gap) / 1000, request)
    capture = open_clip()
    size = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    check_size(*size, request)
    if request["kind"] == "matroska":
        mend_duration(index)
    while True:
        store.clear()
        picks = thrifty(
            choose(index.times, request), index.keys, BUDGET / max(1, size[0] * size[1])
        )
        end = collect(Walker(index), picks, store, pixel_aspect(capture))
        if end is None or not end >= index.times[0]:
            break
        # the packets promised more than there is to see: cut ends, trimmed or damaged ones
        left = int(np.searchsorted(index.times, end + index.gap / 2))
        index = replace(index, times=index.times[:left], keys=index.keys[index.keys < left])
    if not store.times:
        raise VideoError(undecodable(int(capture.get(cv2.CAP_PROP_FOURCC))))
    return store.reply(float(index.times[-1] + index.gap))


def mend_duration(index: Index) -> None:
    """Tell a Matroska file that claims no or too short a duration how long it is."""
    length = index.times[-1] + index.gap
    if not index.claimed * 1000 >= 0.9 * length * index.rate:
        with open("clip", "r+b") as file:
            write_duration(file, length / 1000)


def collect(walker: Walker, picks: np.ndarray, store: Store, aspect: float) -> float | None:
    """Store the picked frames; the time of the last frame if the clip ended before the picks."""
    for i in picks:
        if not walker.go(int(i)):
            return walker.time
        image = walker.image()
        if image is not None and not (store.times and walker.time <= store.times[-1]):
            store.add(walker.time, cv2.cvtColor(image, cv2.COLOR_BGR2RGB), aspect)
    return None


def pixel_aspect(capture: cv2.VideoCapture) -> float:
    """Width of a pixel by its height in the upright picture; 1 where the clip says nonsense."""
    wide, high = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
    if capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180:
        wide, high = high, wide
    return wide / high if wide > 0 and high > 0 and 0.25 <= wide / high <= 4 else 1.0


def undecodable(fourcc: int) -> str:
    """The sentence for a clip whose packets give no picture."""
    code = fourcc.to_bytes(4, "little", signed=fourcc < 0)
    codec = f" (codec {code.decode().strip()})" if code.isalnum() else ""
    return f"No frame of this clip can be decoded{codec}; convert it to H.264 MP4 or VP9 WebM."


def restrict(seconds: float, output: int) -> None:
    """Bound this process's memory, processor time and output, where the system knows how to."""
    with suppress(ImportError):
        import resource

        bounds = {"AS": MEMORY, "CPU": int(4 * seconds) + 1, "FSIZE": output, "CORE": 0}
        for name, bound in bounds.items():
            with suppress(AttributeError, ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (bound, bound))


def main() -> None:
    """Read the request, answer it."""
    request = json.load(sys.stdin)
    cv2.setNumThreads(1)  # every thread of a many-core machine reserves address space
    restrict(request["timeout"], request["frames"] * 3 * request["longest"] ** 2 + 2**20)
    answer = picture if request["kind"] in PICTURES else video
    try:
        with open("frames", "wb") as file:
            reply = answer(request, Store(file, request["longest"]))
    except VideoError as error:
        reply = {"error": str(error)}
    except Exception:  # no message of a library leaves here: it could name a path
        reply = {"error": undecodable(0)}
    json.dump(reply, sys.stdout)


if __name__ == "__main__":
    main()
