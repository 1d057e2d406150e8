"""A video clip in OpenCV: its index, read without decoding, and a walk through its frames.

Times come from the clip's packets (30 minutes of video: 0.2 s), so nothing that the container says
of its length, frame count or rate is believed. A frame is found by seeking to a key frame well
before it and walking on to its time, so that a seek and a full decode agree. Knows OpenCV's FFmpeg
and its habits. Leaves which frames are wanted to sampling.py.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import cv2
import numpy as np

from scissor.decode.container import VideoError
from scissor.decode.sampling import LEAD


@dataclass(frozen=True)
class Index:
    """What the packets of a clip say about its frames, in the order they are shown.

    times: [N] ms from the first one. keys: the indices of key frames. gap: the usual distance in
    ms. rate and claimed: frames a second and frames in all, as the container tells them.
    """

    times: np.ndarray
    keys: np.ndarray
    gap: float
    rate: float
    claimed: float


def scan(seconds: float) -> Index:
    """Read the packets of the clip without decoding them, up to just after `seconds`."""
    capture = open_clip(raw=True)
    rate, claimed = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    stamps, flags = [], []
    while capture.grab():
        stamps.append(capture.get(cv2.CAP_PROP_POS_MSEC))
        flags.append(capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) > 0)
        if stamps[-1] - stamps[0] > 1000 * seconds:
            break
    if not stamps:
        raise VideoError("This file has no video frames; export it again as H.264 MP4.")
    sane = 0 < rate < math.inf
    times, first = np.unique(stamps, return_index=True)
    keys = np.flatnonzero(np.array(flags)[first]) if sane else np.arange(0)
    if len(times) < 0.9 * len(stamps):  # packets without times: count them instead, never seek
        times, keys = np.arange(len(stamps)) * 1000 / (rate if sane else 25.0), np.arange(0)
    usual = 1000 / rate if 1 <= rate <= 240 else 0.0
    gap = float(np.median(np.diff(times))) if len(times) > 1 else usual
    return Index(times - times[0], keys, gap, rate, claimed)


def open_clip(raw: bool = False) -> cv2.VideoCapture:
    """The clip in OpenCV's FFmpeg, which the environment binds to one demuxer and to files."""
    settings = [cv2.CAP_PROP_N_THREADS, min(4, os.cpu_count() or 1)]
    settings += [cv2.CAP_PROP_FORMAT, -1] if raw else []
    capture = cv2.VideoCapture("clip", cv2.CAP_FFMPEG, settings)
    if not capture.isOpened():
        raise VideoError(
            "This file has no video that can be opened: it may be damaged or hold only sound; "
            "export it again as H.264 MP4."
        )
    return capture


class Walker:
    """Goes forward through the decoded frames of the clip, seeking where that saves work."""

    def __init__(self, index: Index):
        self.index = index
        self.seekable = True
        self._restart()

    def _restart(self) -> None:
        self.capture = open_clip()
        self.zero: float | None = None  # some containers count the decoder's delay as time
        self.time = -math.inf

    def step(self) -> bool:
        """Go to the next frame and tell its time; False at the end."""
        if not self.capture.grab():
            return False
        now = self.capture.get(cv2.CAP_PROP_POS_MSEC)
        if self.zero is None:
            self.zero = now
        now -= self.zero
        # the last frames of an AVI leave the decoder without a time
        self.time = now if now > self.time else self.time + self.index.gap
        return True

    def go(self, i: int) -> bool:
        """Stand on frame i, or on the next one that can be decoded; False past the last."""
        times = self.index.times
        half = (times[i] - times[i - 1] if i else self.index.gap) / 2
        if self.zero is None and not self.step():
            return False
        keys = self.index.keys
        keys = keys[(keys > np.searchsorted(times, self.time)) & (keys <= i - LEAD)]
        if len(keys) and self.seekable and not self._seek(keys, times[i] + half):
            self.seekable = False
            self._restart()
        while self.time < times[i] - half:
            if not self.step():
                return False
        return True

    def _seek(self, keys: np.ndarray, late: float) -> bool:
        """Land behind one of the last keys and before the time `late`.

        OpenCV counts frames by the nominal rate, goes to the key frame at or before 16 frames
        ahead of the asked one and then walks 16 steps, whatever their times are.
        """
        for key in keys[:-4:-1]:
            nominal = math.floor(self.index.times[key] * self.index.rate / 1000 + 1e-3) + 1
            self.capture.set(cv2.CAP_PROP_POS_FRAMES, nominal + 16)
            self.time = -math.inf
            if self.step() and self.time < late:
                return True
        return False

    def image(self) -> np.ndarray | None:
        """The frame it stands on as [H, W, 3] BGR, turned upright; None if it is damaged."""
        found, image = self.capture.retrieve()
        return image if found else None
