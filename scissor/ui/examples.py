"""The example clips: where they are, what they are called, whose they are, what to ask.

Knows assets/clips and the clip that Gradio brings along. Leaves showing them to page.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

from scissor.ui.store import picture

CLIPS = Path(__file__).resolve().parents[2] / "assets" / "clips"
WORLD = Path(str(files("gradio"))) / "media_assets" / "videos" / "world.mp4"
OBJECTS = "What objects appear in the video?"


@dataclass(frozen=True)
class Example:
    """A clip to start with. credit: who made it and under which licence."""

    path: Path
    title: str
    credit: str
    question: str = OBJECTS

    @property
    def thumbnail(self) -> str:
        """A small picture from the middle of the clip, as a data URI."""
        return _thumbnail(self.path)


KNOWN = (  # the page opens on the first
    Example(WORLD, "The turning Earth", "The Earth at night, a clip that comes with Gradio"),
    Example(
        CLIPS / "big_buck_bunny.mp4",
        "Big Buck Bunny",
        "Big Buck Bunny, (c) 2008 Blender Foundation, CC BY 3.0",
    ),
)


def examples() -> list[Example]:
    """Those whose file is there; made scenes are labelled as such."""
    made = [
        Example(
            path,
            f"{path.stem.removeprefix('scene_').replace('_', ' ').capitalize()}, a made scene",
            "A made scene, from openly licensed pictures named in assets/clips/SOURCES.md",
        )
        for path in sorted(CLIPS.glob("scene_*.mp4"))
    ]
    return [example for example in (*KNOWN, *made) if example.path.is_file()]


@cache
def _thumbnail(path: Path) -> str:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        capture.set(cv2.CAP_PROP_POS_FRAMES, capture.get(cv2.CAP_PROP_FRAME_COUNT) // 2)
        found, frame = capture.read()
    finally:
        capture.release()
    frame = frame[:, :, ::-1] if found else np.zeros((90, 160, 3), np.uint8)
    return picture(np.ascontiguousarray(frame), width=240)
