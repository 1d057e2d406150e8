"""Hostile uploads: refused with a sentence, nothing else opened, nothing left behind."""

import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from canary import watched
from hostile import uploads

from scissor import VideoError, read_video
from scissor.video import _environment

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files are watched there")


def kinds():
    """The names of all kinds, without a canary."""
    nowhere = SimpleNamespace(path=Path("nowhere"), url="http://127.0.0.1:9/a", port=9)
    return [what for what, _, _ in uploads(nowhere)]


@pytest.fixture(scope="module")
def canary(tmp_path_factory, clip):
    path = tmp_path_factory.mktemp("canary") / "target.mp4"
    shutil.copyfile(clip, path)
    with watched(path) as found:
        found.visitors()
        yield found


@linux
def test_the_canary_notices_who_opens_it(canary, tmp_path):
    """Without its bounds the decoder would open both: the tests below could fail."""
    canary.path.read_bytes()
    with pytest.raises(OSError, match="404"):
        urllib.request.urlopen(canary.url)
    assert canary.visitors() == ["target.mp4", "/target.mp4"]
    assert canary.visitors() == []
    code = "import cv2, sys; cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)"
    free = {**_environment("mov"), "OPENCV_FFMPEG_CAPTURE_OPTIONS": "threads;1"}
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{canary.path}\n#EXT-X-ENDLIST\n"
    )
    for opened, seen in ((str(playlist), "target.mp4"), (canary.url, "/target.mp4")):
        command = [sys.executable, "-c", code, opened]
        subprocess.run(command, env=free, stderr=subprocess.DEVNULL, check=True)
        assert seen in canary.visitors()


@pytest.mark.parametrize("what", kinds())
def test_it_is_refused_and_opens_nothing(what, canary, room, tmp_path):
    name, content = next(found[1:] for found in uploads(canary) if found[0] == what)
    upload = tmp_path / name
    upload.write_bytes(content)
    for k in range(3):  # what the pattern of an image sequence would find
        (tmp_path / f"im{k:03}.jpg").write_bytes(b"another visitor's")
    with pytest.raises(VideoError) as caught:
        read_video(upload)
    assert canary.visitors() == []
    assert not list(room.iterdir())
    told = str(caught.value)
    assert re.fullmatch(r"[A-Z].*(: |; ).*[^.]\.", told)
    assert str(tmp_path) not in told
    assert str(canary.path.parent) not in told


@pytest.mark.parametrize(
    "path", ["a\0b.mp4", "/dev/zero", "http://127.0.0.1:9/a.mp4", "rtsp://127.0.0.1:9/a", "pipe:0"]
)
def test_names_that_are_no_files_are_refused(path, room):
    with pytest.raises(VideoError):
        read_video(path)
