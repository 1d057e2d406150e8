"""What the bytes of an uploaded file say, before any decoder sees it.

Knows the first bytes of the containers that are opened, how each shows that it was cut off, and
where Matroska keeps its duration. Leaves pixels to _decode.py. Needs the standard library only.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

PICTURES = ("JPEG", "PNG", "GIF")  # Pillow's names; the other kinds are FFmpeg's demuxers
OPENED = "MP4, MOV, WebM, MKV, AVI, GIF, JPEG or PNG"
CUT_OFF = "The file ends before its video does; export or upload the clip again."

_LISTS = ("#ext", "ffconcat", "file ", "[playlist]", "v=0", "<?xml", "<mpd", "<smil", "<asx")
_STILLS = b"heic heix heim heis hevc hevx mif1 msf1 avif avis".split()
_BOXES = b"ftyp moov mdat wide free skip pnot styp".split()
_EBML, _SEGMENT, _CLUSTER = b"\x1aE\xdf\xa3", b"\x18S\x80g", b"\x1fC\xb6u"
_INFO, _SCALE, _DURATION, _VOID = b"\x15I\xa9f", b"\x2a\xd7\xb1", b"D\x89", b"\xec"


class VideoError(ValueError):
    """A clip cannot be read; one sentence says what was wrong and what to do, never a path."""


def kind_of(head: bytes) -> str:
    """The demuxer ("mov", "matroska", "avi") or picture format that the first 64 bytes call for.

    Raises VideoError for everything else: playlists and manifests, text, unknown content.
    """
    if head[4:8] == b"ftyp" and head[8:12] in _STILLS:
        raise VideoError("A HEIC or AVIF picture cannot be read here; save it as JPEG or PNG.")
    if head[4:8] in _BOXES:
        return "mov"
    if head[:4] == _EBML:
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    raise VideoError(_refusal(head))


def _refusal(head: bytes) -> str:
    if not head:
        return "The file is empty; export or upload the clip again."
    if head.decode("utf-8-sig", "ignore").lstrip().lower().startswith(_LISTS):
        return "This is a playlist, a text that names other files; upload the video itself."
    if all(byte >= 32 or byte in b"\t\n\f\r" for byte in head):
        return f"This file holds text, not a video; choose {OPENED}."
    return f"This is not a video or picture that can be opened; choose {OPENED}."


def check_whole(file: BinaryIO, kind: str) -> None:
    """Raise VideoError if a video file is shorter than its own headers promise.

    A recording that never got its sizes (a browser's WebM, an AVI after a crash) promises nothing.
    """
    size = file.seek(0, os.SEEK_END)
    if kind == "mov":
        whole = _boxes_whole(file, size)
    elif kind == "avi":
        promised = _read(file, 4, 4)
        whole = promised == b"\xff" * 4 or int.from_bytes(promised, "little") <= size
    else:
        whole = _segment(file, size)[1] <= size
    if not whole:
        raise VideoError(CUT_OFF)


def _boxes_whole(file: BinaryIO, size: int) -> bool:
    """The ISO-BMFF boxes of the index and the samples lie inside the file, the index among them."""
    at, indexed = 0, False
    while at + 8 <= size:
        length, name = struct.unpack(">I4s", _read(file, at, 8))
        if length == 1:
            length = int.from_bytes(_read(file, at + 8, 8), "big")
        length = length or size - at
        if length < 8:
            break
        if name in (b"moov", b"moof", b"mdat") and at + length > size:
            return False
        indexed |= name == b"moov"
        at += length
    return indexed


def write_duration(file: BinaryIO, seconds: float) -> bool:
    """Write a duration into a Matroska file, in place; False where there is no room for one.

    Without it OpenCV cannot seek. It takes the room of the muxer's name, so that no other byte
    moves. `file` is open for reading and writing.
    """
    size = file.seek(0, os.SEEK_END)
    for name, start, end in _elements(file, *_segment(file, size)):
        if name == _CLUSTER:
            break
        if name != _INFO or end > size:
            continue
        parts = {n: _read(file, s, e - s) for n, s, e in _elements(file, start, end)}
        scale = parts.get(_SCALE, (10**6).to_bytes(3, "big"))
        value = struct.pack(">d", seconds * 1e9 / max(1, int.from_bytes(scale, "big")))
        body = _SCALE + bytes([0x80 | len(scale)]) + scale + _DURATION + b"\x88" + value
        room = end - start
        if len(body) + 1 == room:  # a filler has at least two bytes: spell a length with two
            body = body.replace(_DURATION + b"\x88", _DURATION + b"\x40\x08")
        elif len(body) < room:
            body += _filler(room - len(body))
        if len(body) <= room:
            file.seek(start)
            file.write(body)
        return len(body) <= room
    return False


def _filler(length: int) -> bytes:
    """The head of a Void element of 2 bytes or more; what it covers may stay as it is."""
    small = length <= 128
    return _VOID + (bytes([0x7E + length]) if small else b"\x01" + (length - 9).to_bytes(7, "big"))


def _segment(file: BinaryIO, size: int) -> tuple[int, int]:
    """Where the content of a Matroska file's segment starts and where it promises to end."""
    for name, start, end in _elements(file, 0, size):
        if name == _SEGMENT:
            return start, end
    return size, size


def _elements(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each EBML element between two offsets.

    An element of unknown length ends where its parent does.
    """
    while at < end:
        name = _read(file, at, _width(_read(file, at, 1)))
        at += len(name)
        length = _read(file, at, _width(_read(file, at, 1)))
        if not name or not length:
            return
        at += len(length)
        bits = 7 * len(length)
        count = int.from_bytes(length, "big") & (1 << bits) - 1
        stop = end if count == (1 << bits) - 1 else at + count
        yield name, at, stop
        at = stop


def _width(first: bytes) -> int:
    """How many bytes a number of EBML has, from its first one; 0 at the end of the file."""
    return 9 - first[0].bit_length() if first else 0


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)
