"""Which frames of a clip are taken, and their size.

Knows times, key frames and pixels. Leaves where they come from to walker.py and pictures.py.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from scissor.decode.container import VideoError

LEAD = 18  # frames that OpenCV decodes behind the key frame of a seek before it stops


def pick(times: np.ndarray, count: int) -> np.ndarray:
    """Indices of `count` times nearest to a uniform spacing, the first and the last included.

    `times` ascend strictly. Every index comes at most once: all of them if there are no more.
    """
    n = len(times)
    if n <= count:
        return np.arange(n)
    wanted = np.linspace(times[0], times[-1], count)
    after = np.searchsorted(times, wanted).clip(1, n - 1)
    # a tie goes to the earlier frame, whatever the last digits of the times
    near = after - (wanted - times[after - 1] <= times[after] - wanted + 1e-3)
    order = np.arange(count)
    near = np.maximum.accumulate(near - order) + order
    return np.minimum(near, n - count + order)


def span(times: np.ndarray, start: float | None, end: float | None) -> slice:
    """The frames from `start` to `end` in ms; the one that is seen at `start` if there is none."""
    first = 0 if start is None else int(np.searchsorted(times, start - 0.5))
    last = len(times) if end is None else int(np.searchsorted(times, end + 0.5, "right"))
    if first >= last:
        first = max(0, int(np.searchsorted(times, start or 0.0, "right")) - 1)
        last = first + 1
    return slice(first, last)


def thrifty(picks: np.ndarray, keys: np.ndarray, budget: float) -> np.ndarray:
    """Move inner picks to where a seek lands, if walking to all of them takes over `budget` frames.

    A pick moves by at most a quarter of the way to a neighbour; the first and last stay. Where that
    would not at least halve the walk, as in short clips, all stay.
    """
    quick = np.append(0, keys + LEAD)

    def walk(picks: np.ndarray) -> int:
        reach = quick[np.searchsorted(quick, picks, "right") - 1] - LEAD
        return int((picks - np.maximum(reach, np.append(-1, picks[:-1]))).sum())

    if walk(picks) <= budget:
        return picks
    moved = picks.copy()
    for j in range(1, len(picks) - 1):
        best = quick[np.abs(quick - picks[j]).argmin()]
        if abs(best - picks[j]) <= min(picks[j] - picks[j - 1], picks[j + 1] - picks[j]) / 4:
            moved[j] = best
    return moved if walk(moved) <= walk(picks) / 2 else picks


def fit(image: np.ndarray, longest: int, aspect: float = 1.0) -> np.ndarray:
    """Shrink [H, W, 3] to square pixels and at most `longest` of them on the longer side."""
    height, width = image.shape[0] / max(aspect, 1.0), image.shape[1] * min(aspect, 1.0)
    scale = min(1.0, longest / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    same = size == (image.shape[1], image.shape[0])
    return image if same else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def check_size(width: float, height: float, request: dict[str, Any]) -> None:
    """Raise VideoError if a frame is larger than the limit, lying or standing."""
    allowed = request["width"], request["height"]
    if max(width, height) > max(allowed) or min(width, height) > min(allowed):
        raise VideoError(
            f"The frames have {width:.0f} x {height:.0f} pixels and the limit is "
            f"{allowed[0]} x {allowed[1]}; scale the clip down first."
        )


def check_times(seconds: float, request: dict[str, Any]) -> None:
    """Raise VideoError if the clip is longer than the limit or ends before the wanted start."""
    if seconds > request["seconds"]:
        limit = request["seconds"]
        told = f"{limit / 60:g} minutes" if limit >= 60 else f"{limit:g} seconds"
        raise VideoError(f"The clip is longer than {told}, the limit; cut it shorter first.")
    if request["start"] and request["start"] > seconds:
        raise VideoError(f"The clip is {seconds:.1f} s long; choose an earlier start.")
