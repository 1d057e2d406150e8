"""The two made example clips of the page.

Knows what they show. Run: python -m scissor.scenes.examples (needs: pip install av).
"""

from __future__ import annotations

from pathlib import Path

from scissor.scenes.library import Library, exam_library
from scissor.scenes.render import SECONDS, SIDE, render
from scissor.scenes.scene import Actor, Scene

CLIPS = Path(__file__).parents[2] / "assets" / "clips"
RATE = 24  # frames a second


def actor(
    library: Library,
    name: str,
    side: float,
    start: tuple[float, float],
    end: tuple[float, float],
    span: tuple[float, float] = (0.0, 1.0),
) -> Actor:
    """The held-out picture of `name`, its longest side a part of the frame."""
    picture = library.by_name[name][0]
    width, height = library.pictures[picture].size
    size = (side * width / max(width, height), side * height / max(width, height))
    across, along = end[0] - start[0], end[1] - start[1]
    motion = "still" if start == end else ""
    if not motion:
        motion = ("right" if across > 0 else "left") if across else ("down" if along > 0 else "up")
    return Actor(picture, name, size, start, end, motion, *span)


def scenes(library: Library) -> dict[str, Scene]:
    """By file name."""
    places = {background.scene: i for i, background in reversed([*enumerate(library.backgrounds)])}
    slow = ((0.2, 0.3), (0.35, 0.5))
    mountains = (
        actor(library, "balloon", 0.3, (0.25, 0.75), (0.25, 0.25)),
        actor(library, "tractor", 0.38, (0.7, 0.72), (0.7, 0.72)),
        actor(library, "butterfly", 0.26, (0.82, 0.25), (0.55, 0.25), (0.5, 1.0)),
    )
    beach = (
        actor(library, "sailboat", 0.36, (0.2, 0.55), (0.75, 0.55)),
        actor(library, "dolphin", 0.3, (0.7, 0.84), (0.25, 0.84), (0.0, 0.6)),
        actor(library, "sun", 0.26, (0.8, 0.18), (0.8, 0.18)),
    )
    return {
        "scene_mountains.mp4": Scene(mountains, places["mountains"], slow),
        "scene_beach.mp4": Scene(beach, places["beach"], slow),
    }


def write(scene: Scene, library: Library, path: Path) -> None:
    """The scene as H.264 that every browser plays."""
    import av

    frames = render(scene, library, round(SECONDS * RATE))
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "slow"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def main() -> None:
    """Write both clips."""
    library = exam_library()
    for name, scene in scenes(library).items():
        write(scene, library, CLIPS / name)


if __name__ == "__main__":
    main()
