"""What a visitor of the page does, good, bad or gone half way, and what is right.

Knows the page's addresses and endpoints; every answer is compared with the package's own, made in
this process. Leaves how many come at once, and memory, to load.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scissor.bench.browser import APP
from scissor.models.contract import VideoLLM
from scissor.scc import compress, curve, prepare
from scissor.types import Compression, Encoded
from scissor.ui.store import CURVE_POINTS, picture
from scissor.video import read_video

QUESTION = "What objects appear in the video?"
FRAMES, RETENTION, PATIENCE = 4, 0.1, 300.0
CAMERA_FRAMES = 4
KINDS = ("encode", "compress", "answer")
EXPECTED = ("right", "refused", "left")


@dataclass(frozen=True)
class Visit:
    """One request. outcome: "right", "refused" (as it should be), "left", or what went wrong."""

    client: int
    wave: int
    kind: str
    seconds: float
    outcome: str


class Truth:
    """What the page must answer, by the package's own functions in this process."""

    def __init__(self, model: VideoLLM) -> None:
        self.model = model
        self.of, self._made = cache(self._of), cache(self._compressed)

    def _of(self, kind: str, clip: Path) -> dict[str, Any]:
        """What the endpoint `kind` says about a clip, without its times."""
        encoded, made = self._made(clip)
        total, middle, kept = made.counts
        if kind == "encode":
            return {"frames": len(encoded.tokens), "tokens": total}
        if kind == "compress":
            return {"tokens_in": total, "after_step_1": middle, "kept": kept}
        said = {
            side: "".join(self.model.answer(encoded, few, QUESTION)).strip()
            for side, few in (("all", None), ("kept", made))
        }
        counts = {"all": total, "kept": kept}
        return {side: {"text": said[side], "tokens": counts[side]} for side in said}

    def _compressed(self, clip: Path) -> tuple[Encoded, Compression]:
        encoded = self.model.encode(read_video(clip, frames=FRAMES))
        ready = prepare(encoded)
        return encoded, compress(ready, retention=RETENTION, curve=curve(ready, CURVE_POINTS))


def holds(answer: Any, expected: Any) -> bool:
    """Every expected field is there and equal; others may be there too."""
    if not isinstance(expected, dict):
        return answer == expected
    return isinstance(answer, dict) and all(holds(answer.get(k), v) for k, v in expected.items())


def own_clip(folder: Path, number: int) -> Path:
    """A GIF that no other client has: squares of its own colours, wandering."""
    rng = np.random.default_rng(number)
    blocks = rng.integers(0, 255, (3, 4, 6, 3), np.uint8)
    first, *rest = (Image.fromarray(b.repeat(45, 0).repeat(45, 1)) for b in blocks)
    path = folder / f"client{number}.gif"
    first.save(path, save_all=True, append_images=rest, duration=400)
    return path


class Client:
    """One visitor with a connection of its own."""

    def __init__(self, url: str, number: int, wave: int, clips: list[Path], truth: Truth) -> None:
        import httpx
        from gradio_client import Client as Connection

        self.url, self.number, self.wave, self.clips, self.truth = url, number, wave, clips, truth
        self.gradio = Connection(url, verbose=False, download_files=False)
        self.http = httpx.Client(base_url=url, timeout=PATIENCE)

    def visits(self) -> Iterator[Visit]:
        """All that this visitor does in one wave."""
        role = self.number % 5
        try:
            if role == 3:
                yield from map(self.bad, ("playlist", "cut off", "retention", "model", "a path"))
            elif role == 4:
                yield from (self.timed("leave upload", self.leave_upload),)
                yield from (self.timed("leave answer", self.leave_answer),)
            else:
                for kind, clip in zip(KINDS, self.clips, strict=True):
                    yield self.good(kind, clip)
                if role == 2:
                    yield self.timed("camera", self.camera)
        finally:
            self.http.close()

    def timed(self, kind: str, work: Callable[[], str]) -> Visit:
        """Do it and say how long it took; an exception becomes the outcome."""
        start = time.perf_counter()
        try:
            outcome = work()
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        return Visit(self.number, self.wave, kind, time.perf_counter() - start, outcome)

    def good(self, kind: str, clip: Path) -> Visit:
        """An endpoint with a good clip; right only if it says what the package says."""
        from gradio_client import handle_file

        options = {"encode": {}, "compress": {"retention": RETENTION}, "answer": {}}[kind]
        if kind == "answer":
            options = {"question": QUESTION, "retention": RETENTION}

        def work() -> str:
            answer = self.gradio.predict(
                clip=handle_file(str(clip)), frames=FRAMES, api_name=f"/{kind}", **options
            )
            expected = self.truth.of(kind, clip)
            return "right" if holds(answer, expected) else f"wrong: {answer}"

        return self.timed(kind, work)

    def bad(self, what: str) -> Visit:
        """Something that must be refused with a sentence that names no file of the server."""
        from gradio_client import handle_file
        from gradio_client.exceptions import AppError

        folder, options = self.clips[0].parent, {}
        content = {"playlist": b"#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:9/a.mp4\n"}.get(what)
        if what == "cut off":
            content = self.clips[1].read_bytes()[:5000]
        path = folder / f"bad{self.number}.mp4" if content else self.clips[1]
        if content:
            path.write_bytes(content)
        file = handle_file(str(path))
        if what == "retention":
            options = {"retention": 7.0}
        elif what == "model":
            options = {"model": "/etc"}
        elif what == "a path":
            file = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}

        def work() -> str:
            try:
                answer = self.gradio.predict(clip=file, api_name="/compress", **options)
            except (AppError, ValueError) as error:  # the second for what its own client refuses
                told = str(error)
                return f"tells a path: {told}" if str(APP.parent) in told else "refused"
            return f"wrong: {answer}"

        return self.timed(f"bad: {what}", work)

    def leave_upload(self) -> str:
        """Go away in the middle of an upload."""

        def form() -> Iterator[bytes]:
            yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.mp4"\r\n\r\n'
            yield bytes(2**20)
            raise ConnectionAbortedError

        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        try:
            self.http.post("/gradio_api/upload", content=form(), headers=kind)
        except ConnectionAbortedError:
            return "left"
        return "wrong: the upload went through"

    def leave_answer(self) -> str:
        """Ask, listen for a moment, go away."""
        with open(self.clips[1], "rb") as clip:
            sent = self.http.post("/gradio_api/upload", files={"files": clip})
        file = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
        data = [file, QUESTION, FRAMES, RETENTION, "mini"]
        asked = self.http.post("/gradio_api/call/answer", json={"data": data})
        address = f"/gradio_api/call/answer/{asked.json()['event_id']}"
        with self.http.stream("GET", address) as answer:
            answer.raise_for_status()
            time.sleep(0.2)
        return "left"

    def camera(self) -> str:
        """A few frames into the Live tab, one after the other."""
        parts = self.gradio.config["components"]
        live = next(part["id"] for part in parts if part["props"].get("elem_id") == "sc-live")
        rng, handle, seen = np.random.default_rng(self.number), None, 0
        while seen < CAMERA_FRAMES:
            frame = rng.integers(0, 255, (9, 16, 3), np.uint8).repeat(28, 0).repeat(28, 1)
            body = {
                "session_hash": self.gradio.session_hash,
                "component_id": live,
                "fn_name": "frame",
                "data": {"handle": handle, "tau": 0.85, "jpeg": picture(frame)},
            }
            got = self.http.post("/gradio_api/component_server", json=body).json()
            if got.get("busy"):  # dropped while the model answers someone, as it should be
                handle = got.get("handle", handle)
                time.sleep(0.2)
                continue
            seen += 1
            if got.get("seen", [0])[0] != seen:
                return f"wrong: {got}"
            handle = got["handle"]
        return "right"
