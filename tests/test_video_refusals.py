import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from makeclips import numbered, numbers, write_clip
from PIL import Image

from scissor import Limits, VideoError, read_video
from scissor.video import _environment

pytestmark = pytest.mark.usefixtures("room")
posix = pytest.mark.skipif(os.name != "posix", reason="a script stands in for the decoder")


def refused(path, *arguments, **options):
    """The sentence with which a file is refused."""
    with pytest.raises(VideoError) as caught:
        read_video(path, *arguments, **options)
    assert_helpful(caught.value, path)
    return str(caught.value)


def assert_helpful(error, path):
    """One sentence, what was wrong and then what to do, and nothing of the server in it."""
    text = str(error)
    assert re.fullmatch(r"[A-Z].*(: |; ).*[^.]\.", text)
    assert error.__cause__ is None
    assert not set("/\\") & set(text)
    assert "." not in Path(path).name or Path(path).name not in text


def test_things_that_are_not_clips(tmp_path, clip):
    (tmp_path / "text.mp4").write_text("once upon a time\n" * 50)
    assert "text" in refused(tmp_path / "text.mp4")
    (tmp_path / "empty.mp4").touch()
    assert "empty" in refused(tmp_path / "empty.mp4")
    (tmp_path / "noise.webm").write_bytes(bytes(range(256)) * 9)
    assert "not a video" in refused(tmp_path / "noise.webm")
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    assert "HEIC" in refused(tmp_path / "photo.heic")
    assert "folder" in refused(tmp_path)
    assert "no such file" in refused(tmp_path / "gone.mp4")
    assert "cannot be read" in refused("a\0b")
    with pytest.raises(VideoError, match="cannot be read"):
        read_video(None)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mp4")
        assert "device" in refused(tmp_path / "pipe.mp4")


def test_clips_without_frames(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 0)
    refused(path)
    sound = tmp_path / "sound.mp4"
    with av.open(str(sound), "w") as out:
        stream = out.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert "sound" in refused(sound)


@pytest.mark.parametrize(
    "name", ["a.mp4", "fast.mp4", "a.webm", "a.avi", "a.gif", "a.png", "a.jpg"]
)
def test_truncated_clips_are_refused(name, tmp_path):
    path = tmp_path / name
    if path.suffix in (".mp4", ".webm", ".avi"):
        codec = {".webm": "libvpx", ".avi": "mpeg4"}.get(path.suffix, "libx264")
        quick = {"movflags": "faststart"} if name == "fast.mp4" else {}
        write_clip(path, 30, codec, container_options=quick)
    else:
        first, *rest = (Image.fromarray(numbered(i)) for i in range(9))
        first.save(path, **({"save_all": True, "append_images": rest} if name == "a.gif" else {}))
    content = path.read_bytes()
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        refused(path)


def test_damaged_clips_give_frames_or_a_sentence(clip, tmp_path):
    rng = np.random.default_rng(0)
    for trial in range(5):
        content = np.frombuffer(clip.read_bytes(), np.uint8).copy()
        content[rng.integers(40, len(content), 2 + 8 * trial)] = rng.integers(0, 256)
        (tmp_path / "bad.mp4").write_bytes(content)
        try:
            assert len(read_video(tmp_path / "bad.mp4", 4).frames) > 0
        except VideoError as error:
            assert_helpful(error, tmp_path / "bad.mp4")


def test_limits(clip, tmp_path):
    assert "limit is 0.002 MB" in refused(clip, limits=Limits(bytes=2097))
    assert "longer than 1.5 seconds" in refused(clip, limits=Limits(seconds=1.5))
    assert "128 x 64" in refused(clip, limits=Limits(width=100, height=100))
    assert "128 x 64" in refused(clip, limits=Limits(width=128, height=60))
    assert len(read_video(clip, 2, limits=Limits(width=64, height=128)).frames) == 2
    Image.new("RGB", (4097, 10)).save(tmp_path / "a.png")
    assert "4096 x 2304" in refused(tmp_path / "a.png")
    assert "from 1 to 8" in refused(clip, 9, limits=Limits(frames=8))
    hour = write_clip(tmp_path / "long.mkv", 2, times=[0, 3_700_000])
    assert "60 minutes" in refused(hour)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n",
        "\ufeff\n #EXTM3U\n{clip}\n",
        "ffconcat version 1.0\nfile {clip}\n",
        "file '{clip}'\n",
        "[playlist]\nFile1={clip}\nNumberOfEntries=1\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "<?xml version='1.0'?><MPD><Period><BaseURL>{clip}</BaseURL></Period></MPD>",
        "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{clip}</BaseURL></MPD>",
        "<smil><body><video src='{clip}'/></body></smil>",
        "<asx version='3.0'><entry><ref href='http://127.0.0.1:9/a.mp4'/></entry></asx>",
    ],
)
@pytest.mark.parametrize("name", ["list.m3u8", "movie.mp4"])
def test_playlists_are_refused_whatever_they_are_called(text, name, clip, tmp_path):
    (tmp_path / name).write_text(text.format(clip=clip), encoding="utf-8")
    assert "playlist" in refused(tmp_path / name)


def test_a_pattern_in_the_name_opens_one_file(clip, tmp_path):
    for i in range(3):
        Image.fromarray(numbered(i)).save(tmp_path / f"im{i}.png")
    Image.fromarray(numbered(9)).save(tmp_path / "im%d.png")
    assert numbers(read_video(tmp_path / "im%d.png")) == [9]
    (tmp_path / "a%03d.mp4").write_bytes(clip.read_bytes())
    assert numbers(read_video(tmp_path / "a%03d.mp4", 2)) == [0, 59]
    assert "no such file" in refused(tmp_path / "im%01d.png")
    for url in ("https://example.org/a.mp4", f"file:{clip}", f"concat:{clip}|{clip}", "-"):
        assert "no such file" in refused(url)


def test_samples_in_another_file_are_not_fetched(clip, tmp_path):
    """A QuickTime file may say, in a Macintosh alias, that its samples lie in another file."""
    content = clip.read_bytes()
    at = content.index(b"url \0\0\0\1") - 4
    target = os.fsencode(clip)
    target += bytes(len(target) % 2)
    alias = bytes(150) + b"\0\2" + len(target).to_bytes(2, "big") + target + b"\xff\xff\0\0"
    new = (len(alias) + 12).to_bytes(4, "big") + b"alis" + bytes(4) + alias
    hostile = content[:at] + new + content[at + 12 :]
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        box = hostile.index(name) - 4
        size = int.from_bytes(hostile[box : box + 4], "big") + len(new) - 12
        hostile = hostile[:box] + size.to_bytes(4, "big") + hostile[box + 4 :]
    samples = hostile.index(b"mdat") + 4
    end = hostile.index(b"moov") - 4
    hostile = hostile[:samples] + bytes(end - samples) + hostile[end:]
    (tmp_path / "a.mov").write_bytes(hostile)
    refused(tmp_path / "a.mov")


def test_ffmpeg_is_bound_to_one_container(clip, tmp_path):
    """Even a playlist that got past the first bytes would not be opened."""
    (tmp_path / "real.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "clip").write_text("ffconcat version 1.0\nfile real.mp4\n")
    code = "import cv2; print(cv2.VideoCapture('clip', cv2.CAP_FFMPEG).isOpened())"
    unbound = {**_environment("mov"), "OPENCV_FFMPEG_CAPTURE_OPTIONS": "threads;1"}
    opened = []
    for environment in (unbound, *map(_environment, ("mov", "matroska", "avi"))):
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        opened.append(run.stdout.strip())
    assert opened == ["True", "False", "False", "False"]


def stand_in(tmp_path, monkeypatch, script):
    """Let a shell script take the place of the decoder's Python."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))


@posix
def test_a_decoder_that_hangs_is_stopped(clip, tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid; exec sleep 250")
    assert "after 1 seconds" in refused(clip, limits=Limits(timeout=1))
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@posix
@pytest.mark.parametrize("script", ["exit 3", "kill -SEGV $$", "echo {", "echo"])
def test_a_decoder_that_breaks_gives_a_sentence(script, clip, tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, script)
    assert "broke off" in refused(clip)


def test_a_decoder_that_cannot_start_gives_a_sentence(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    assert "cannot start" in refused(clip)


def test_the_decoder_gets_no_secrets(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert "hf_secret" not in json.dumps(_environment("mov"))


def test_clips_read_at_once_do_not_mix(tmp_path):
    paths = [write_clip(tmp_path / f"{count}.mp4", count) for count in (3, 5, 7, 9)]
    with ThreadPoolExecutor(4) as pool:
        videos = list(pool.map(lambda path: read_video(path, 2), paths))
    assert [numbers(video)[-1] for video in videos] == [2, 4, 6, 8]


def test_a_script_without_a_guard_is_not_run_again(clip, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"print('started')\nfrom scissor import read_video\n"
        f"print(len(read_video({str(clip)!r}, 3).frames))\n"
    )
    root = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root}
    run = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert run.stdout.split() == ["started", "3"]
