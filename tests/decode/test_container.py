import io
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makeclips import write_clip

from scissor.decode.container import VideoError, check_whole, kind_of, write_duration


@given(st.binary(max_size=64))
def test_any_first_bytes_give_a_kind_or_a_sentence(head):
    try:
        told = kind_of(head)
    except VideoError as error:
        told = str(error)
    assert told in ("mov", "matroska", "avi", "GIF", "JPEG", "PNG") or told.endswith(".")


@given(st.binary(max_size=400), st.sampled_from(["mov", "matroska", "avi"]))
def test_any_content_is_whole_or_refused(content, kind):
    file = io.BytesIO(content)
    with suppress(VideoError):
        check_whole(file, kind)
    write_duration(file, 1.0)
    assert len(file.getvalue()) == len(content)


@pytest.mark.parametrize("text", ["hello", "a,b\n1,2\n", "{}", "<html>", "äöü"])
def test_text_is_called_text(text):
    with pytest.raises(VideoError, match="text"):
        kind_of(text.encode())


def element(name, content, width=1):
    return name + (len(content) | 1 << 7 * width).to_bytes(width, "big") + content


def matroska(spare):
    """A header whose Info has `spare` bytes beside the scale: a muxer's name and a filler."""
    scale = element(b"\x2a\xd7\xb1", (500_000).to_bytes(3, "big"))
    info = element(b"\x15I\xa9f", scale + element(b"M\x80", b"x" * (spare - 4), 2), 2)
    cluster = element(b"\x1fC\xb6u", element(b"\xe7", b"\0"))
    return b"\x1aE\xdf\xa3\x80" + b"\x18S\x80g\x01" + b"\xff" * 7 + info + cluster


def walk(data, start=0):
    """The elements of some EBML, read without the code under test."""
    found = {}
    while start < len(data):
        width = 9 - data[start].bit_length()
        name, start = data[start : start + width], start + width
        width = 9 - data[start].bit_length()
        size = int.from_bytes(data[start : start + width], "big") ^ 1 << 7 * width
        found[name] = data[start + width : start + width + size]
        start += width + size
    return found


@given(st.integers(4, 500), st.floats(0.01, 1e5))
def test_a_duration_is_written_without_moving_a_byte(spare, seconds):
    before = matroska(spare)
    file = io.BytesIO(before)
    fits = write_duration(file, seconds)
    after = file.getvalue()
    assert fits == (spare >= 11)
    assert len(after) == len(before)
    head = len(b"\x1aE\xdf\xa3\x80\x18S\x80g\x01" + b"\xff" * 7)
    parts = walk(after[head:])
    assert list(parts) == [b"\x15I\xa9f", b"\x1fC\xb6u"]
    info = walk(parts[b"\x15I\xa9f"])
    if fits:
        assert struct.unpack(">d", info[b"D\x89"])[0] * 500_000 == pytest.approx(seconds * 1e9)
        assert set(info) <= {b"\x2a\xd7\xb1", b"D\x89", b"\xec"}
    else:
        assert after == before


def test_opencv_believes_the_written_duration(tmp_path):
    live = {"container_options": {"live": "1"}, "pipe": True, "deadline": "realtime"}
    path = write_clip(tmp_path / "a.webm", 50, "libvpx", **live)
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT) <= 0
    with open(path, "r+b") as file:
        assert write_duration(file, 2.0)
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT) == 50


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.avi"])
def test_every_cut_file_is_refused(name, tmp_path):
    codec = {"a.webm": "libvpx", "a.avi": "mpeg4"}.get(name, "libx264")
    content = write_clip(tmp_path / name, 10, codec).read_bytes()
    kind = kind_of(content[:64])
    check_whole(io.BytesIO(content), kind)
    for length in range(64, len(content), 97):
        with pytest.raises(VideoError, match="ends before"):
            check_whole(io.BytesIO(content[:length]), kind)


@pytest.mark.parametrize(
    ("module", "banned"),
    [
        ("scissor.decode.container", ("numpy", "cv2", "torch")),
        ("scissor.decode.__main__", ("torch",)),
    ],
)
def test_the_child_starts_light(module, banned):
    code = f"import sys, {module}; sys.exit(any(m in sys.modules for m in {banned}))"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
