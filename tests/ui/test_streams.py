"""Frames from outside are checked; streams are bounded in number, age and memory."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from scissor.scc import compress
from scissor.ui.errors import RequestError
from scissor.ui.streams import (
    BYTES,
    CAP,
    HELD,
    LONGEST,
    MOST_BYTES,
    Stream,
    Streams,
    read_frame,
    threshold,
)

GRID = (3, 3)


def uri(content, kind="jpeg"):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def saved(kind="JPEG", size=(64, 40), colour=(200, 30, 30), **options):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def tokens(seed, n=9, width=5):
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


def test_a_jpeg_becomes_a_frame():
    frame = read_frame(uri(saved()))
    assert frame.shape == (40, 64, 3)
    assert frame.dtype == np.uint8
    assert abs(frame.reshape(-1, 3).mean(0) - (200, 30, 30)).max() < 4
    grey = io.BytesIO()
    Image.new("L", (8, 8), 90).save(grey, "JPEG")
    assert read_frame(uri(grey.getvalue())).shape == (8, 8, 3)


HOSTILE = {
    "nothing": None,
    "a number": 3,
    "a list": [uri(saved())],
    "no data URI": "http://127.0.0.1:9/frame.jpg",
    "a path": "/etc/passwd",
    "a PNG by name": uri(saved("PNG"), "png"),
    "a PNG that calls itself JPEG": uri(saved("PNG")),
    "a GIF that calls itself JPEG": uri(saved("GIF")),
    "SVG": uri(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "no base64": "data:image/jpeg;base64,%%%%",
    "not ASCII": "data:image/jpeg;base64,ßßßß",
    "cut off": uri(saved(size=(300, 300))[:-200]),
    "only a head": uri(saved()[:30]),
    "empty": uri(b""),
    "too wide": uri(saved(size=(LONGEST + 1, 8))),
    "a bomb": uri(saved(size=(20000, 20000), quality=1)),
    "too many bytes": uri(saved() + bytes(MOST_BYTES)),
    "progressive": uri(saved(progressive=True)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_anything_else_is_refused_with_a_sentence(what):
    with pytest.raises(RequestError) as caught:
        read_frame(HOSTILE[what])
    assert re.fullmatch(r"[A-Z].*; .*[^.]\.", str(caught.value))
    assert caught.value.__cause__ is None


def test_a_stream_draws_what_the_compression_of_its_frames_is():
    stream = Stream(0.2)
    for k in range(4):
        drawn = stream.push(tokens(k), GRID, 0.2)
    made = compress(torch.stack([tokens(k) for k in range(4)]), tau=0.2, merge=False)
    ids = np.frombuffer(base64.b64decode(drawn["ids"]), "<u2").reshape(4, 9)
    assert (ids == made.group.numpy()).all()
    assert drawn["kept"] == made.kept == len(base64.b64decode(drawn["colours"]))
    assert (drawn["seen"], drawn["frames"], drawn["grid"]) == ([4, 36], 4, [3, 3])
    assert (drawn["past"], drawn["folds"], drawn["held"]) == (0, 0, made.counts[1])
    encoded, kept, past = stream.read("mini")
    assert encoded.tokens.shape == (4, 9, 5)
    assert len(encoded.times) == 4
    assert (kept.kept, past) == (made.kept, 0)


def test_old_frames_leave_and_what_they_alone_showed_is_told_apart():
    stream = Stream(0.9)
    for k in range(HELD + 3):
        drawn = stream.push(tokens(k), GRID, 0.9)
    assert drawn["frames"] == HELD
    assert drawn["seen"] == [HELD + 3, 9 * (HELD + 3)]
    encoded, kept, past = stream.read("mini")
    assert len(encoded.tokens) == len(encoded.times) == HELD
    assert past == drawn["past"] == kept.kept - len(kept.group.unique()) > 0


def test_another_threshold_starts_anew_from_the_frames_held():
    stream, plain = Stream(0.9), Stream(0.1)
    for k in range(3):
        stream.push(tokens(k), GRID, 0.9)
    for k in range(4):
        expected = plain.push(tokens(k), GRID, 0.1)
    assert stream.push(tokens(3), GRID, 0.1)["ids"] == expected["ids"]


def test_a_long_stream_holds_a_bounded_number_of_tokens():
    stream = Stream(1.0)
    for k in range(20):
        drawn = stream.push(tokens(k, 196), (14, 14), 1.0)
    assert drawn["held"] == CAP
    assert drawn["folds"] == 20 * 196 - CAP


def test_a_stream_of_minis_tokens_takes_less_memory_than_is_said():
    stream = Stream(1.0)
    for k in range(HELD):
        stream.push(tokens(k, 196, 576), (14, 14), 1.0)
    held = stream._compressor
    kept = [*vars(held._held).values(), *held._inputs, *held._spatial, stream._colours]
    assert sum(part.nbytes for part in kept) < BYTES


def test_nothing_seen_cannot_be_read():
    with pytest.raises(RequestError, match="Start the camera"):
        Stream(0.5).read("mini")


def test_streams_are_bounded_and_handles_cannot_be_guessed():
    streams = Streams(limit=20)
    handles = {streams.start(0.5)[0] for _ in range(20)}
    assert len(handles) == 20
    assert all(len(handle) >= 16 for handle in handles)
    with pytest.raises(RequestError, match="Too many"):
        streams.start(0.5)
    streams.end(handles.pop())
    streams.start(0.5)
    for wrong in (None, 3, "", "guess", [*handles], {}):
        assert streams.get(wrong) is None
        streams.end(wrong)
    assert len(streams) == 20


def test_streams_without_frames_are_forgotten():
    now = [1000.0]
    streams = Streams(idle=10, clock=lambda: now[0])
    old, stream = streams.start(0.5)
    new, other = streams.start(0.5)
    stream.touched, other.touched = 1000.0, 1005.0
    assert streams.get(old) is stream
    now[0] = 1012.0
    assert streams.get(old) is None
    assert streams.get(new) is other
    assert len(streams) == 1


@pytest.mark.parametrize(
    ("value", "tau"),
    [
        (0.5, 0.5),
        (7, 1.0),
        (-3, -1.0),
        (None, 0.85),
        ("x", 0.85),
        (True, 0.85),
        (float("nan"), 0.85),
    ],
)
def test_any_threshold_becomes_one(value, tau):
    assert threshold(value) == tau
