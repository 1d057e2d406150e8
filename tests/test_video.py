from fractions import Fraction

import av
import numpy as np
import pytest
from makeclips import CORNER, number, numbered, numbers, write_clip
from PIL import Image

from scissor import VideoError, read_video
from scissor.video import content_key

pytestmark = pytest.mark.usefixtures("room")

KINDS = {
    "h264.mp4": {},
    "h264.mov": {},
    "h264.mkv": {},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "hevc.mp4": {"codec": "libx265", "x265_params": "log-level=none:keyint=40"},
    "mpeg4.mp4": {"codec": "mpeg4"},
    "late.avi": {"codec": "mpeg4", "bf": 2},  # B-frames: the decoder runs behind the file's clock
    "h264.avi": {"bf": 2},
    "pictures.avi": {"codec": "mjpeg"},
    "vp8.webm": {"codec": "libvpx", "deadline": "realtime"},
    "vp9.webm": {"codec": "libvpx-vp9", "deadline": "realtime", "cpu_used": 8},
    "open.mp4": {"x264_params": "open-gop=1:bframes=6"},
    "recorder.webm": {  # a browser's: no duration, no index, times in whole milliseconds
        "codec": "libvpx",
        "deadline": "realtime",
        "pipe": True,
        "times": [i * 33 + i % 3 for i in range(200)],
        "container_options": {"live": "1"},
    },
}


@pytest.mark.parametrize("name", KINDS)
def test_frames_are_uniform_and_exact(name, tmp_path):
    codec = KINDS[name].get("codec", "libx264")
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV cannot write {codec}")
    options = {"g": 40, **KINDS[name]}
    path = write_clip(tmp_path / name, 200, **options)
    times = np.array(options.get("times", np.arange(200) * 40)) / 1000
    for count in (5, 16):  # the first seeks from key frame to key frame
        video = read_video(path, count)
        wanted = np.linspace(times[0], times[-1], count)
        nearest = [int(np.abs(times - t).argmin()) for t in wanted]
        assert numbers(video) == nearest
        assert video.times == pytest.approx(times[nearest], abs=2e-3)
        assert video.duration == pytest.approx(times[-1] + np.diff(times).mean(), abs=0.01)
        assert video.frames.dtype == np.uint8
        assert video.frames.shape == (count, 64, 128, 3)
        assert np.abs(video.frames[:, 4, 4].astype(int) - CORNER).max() < 30  # red, not blue
    assert video.name == name


def test_a_variable_rate_is_sampled_in_time(tmp_path):
    times = [*range(0, 1000, 10), *range(1000, 20001, 1000)]
    video = read_video(write_clip(tmp_path / "a.mp4", len(times), times=times), 11)
    assert video.times.tolist() == pytest.approx([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
    crowded = read_video(tmp_path / "a.mp4", 60)
    assert len(set(numbers(crowded))) == 60
    assert (np.diff(crowded.times) > 0).all()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_short_clip_gives_each_frame_once(count, tmp_path):
    path = write_clip(tmp_path / "a.mp4", count)
    assert numbers(read_video(path, 16)) == list(range(count))
    assert numbers(read_video(path, 1)) == [0]


def test_start_and_end_bound_the_sample(clip):
    assert numbers(read_video(clip, 3, start=1)) == [25, 42, 59]
    assert numbers(read_video(clip, 3, end=1)) == [0, 12, 25]
    assert numbers(read_video(clip, 3, start=0.4, end=0.8)) == [10, 15, 20]
    assert numbers(read_video(clip, 3, start=0.41, end=0.42)) == [10]
    assert read_video(clip, 3, start=1).times.tolist() == pytest.approx([1, 1.68, 2.36])
    assert numbers(read_video(clip, 2, end=100)) == [0, 59]


@pytest.mark.parametrize(("turn", "corner"), [(90, (-4, 4)), (180, (-4, -4)), (270, (4, -4))])
def test_a_turned_phone_is_set_upright(turn, corner, tmp_path):
    video = read_video(write_clip(tmp_path / "a.mp4", 3, turn=turn), 2)
    assert video.frames.shape[1:3] == ((64, 128) if turn == 180 else (128, 64))
    assert np.abs(video.frames[0][corner].astype(int) - CORNER).max() < 30
    assert number(np.rot90(video.frames[1], -turn // 90)) == 2


def test_size_and_pixel_shape(tmp_path):
    wide = write_clip(tmp_path / "a.mp4", 2, aspect=Fraction(2, 1))
    assert read_video(wide).frames.shape[1:3] == (32, 128)
    large = write_clip(tmp_path / "b.mp4", 2, size=(1920, 1080))
    assert read_video(large).frames.shape[1:3] == (720, 1280)
    small = read_video(large, longest=100)
    assert small.frames.shape[1:3] == (56, 100)
    assert numbers(small) == [0, 1]


@pytest.mark.parametrize("claim", [10, 500])
def test_frame_counts_that_lie_are_not_believed(claim, tmp_path):
    path = write_clip(tmp_path / "a.avi", 60, "mpeg4")
    content = bytearray(path.read_bytes())
    for at in (content.index(b"avih") + 24, content.index(b"strh") + 40):
        assert int.from_bytes(content[at : at + 4], "little") == 60
        content[at : at + 4] = claim.to_bytes(4, "little")
    path.write_bytes(content)
    assert numbers(read_video(path, 4)) == [0, 20, 39, 59]


def test_a_duration_that_lies_is_not_believed(tmp_path):
    path = write_clip(tmp_path / "a.webm", 200, "libvpx", g=40)
    content = path.read_bytes()
    at = content.index(b"D\x89\x88") + 3
    for claim in (b"?\xf0" + bytes(6), b"A" + b"\x7f" * 7):  # 1 ms, 9 hours
        path.write_bytes(content[:at] + claim + content[at + 8 :])
        video = read_video(path, 4)
        assert numbers(video) == [0, 66, 133, 199]
        assert video.duration == pytest.approx(8)


def test_frames_trimmed_away_stay_away(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 60)
    content = bytearray(path.read_bytes())
    at = content.index(b"elst") + 12
    assert int.from_bytes(content[at : at + 4], "big") == 2400
    content[at : at + 4] = (1000).to_bytes(4, "big")
    path.write_bytes(content)
    video = read_video(path, 3)
    assert numbers(video) == [0, 12, 24]
    assert video.duration == pytest.approx(1)


def test_pictures_are_clips_of_one_frame(tmp_path):
    picture = Image.fromarray(numbered(7))
    for name in ("a.png", "a.jpg", "a.mp4"):
        picture.save(tmp_path / name, "PNG" if name == "a.mp4" else None)
        video = read_video(tmp_path / name)
        assert numbers(video) == [7]
        assert video.times.tolist() == [0]
        assert video.duration == 0
    orientation = Image.Exif()
    orientation[0x0112] = 6  # turn by a quarter with the clock
    picture.save(tmp_path / "turned.jpg", exif=orientation)
    frame = read_video(tmp_path / "turned.jpg").frames[0]
    assert number(np.rot90(frame)) == 7
    Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(tmp_path / "deep.png")
    assert set(read_video(tmp_path / "deep.png").frames.flat) == {40_000 >> 8}
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(tmp_path / "glass.png")
    assert set(read_video(tmp_path / "glass.png").frames.flat) == {255}


def test_a_gif_keeps_its_own_clock(tmp_path):
    waits = [100, 300, 0, 20, 1000, 100]  # browsers show a frame without a delay for 100 ms
    first, *rest = (Image.fromarray(numbered(i)) for i in range(6))
    first.save(tmp_path / "a.gif", save_all=True, append_images=rest, duration=waits, loop=0)
    video = read_video(tmp_path / "a.gif")
    assert numbers(video) == [0, 1, 2, 3, 4, 5]
    assert video.times.tolist() == pytest.approx([0, 0.1, 0.4, 0.5, 0.52, 1.52])
    assert video.duration == pytest.approx(1.62)
    assert numbers(read_video(tmp_path / "a.gif", 3)) == [0, 4, 5]


def test_keys_follow_content_and_sampling(clip, tmp_path):
    copy = tmp_path / "other name.mov"
    copy.write_bytes(clip.read_bytes())
    video, same, other = read_video(clip, 4), read_video(copy, 4, start=None), read_video(clip, 5)
    assert video.key == same.key
    assert (video.frames == same.frames).all()
    keys = {video.key, other.key, read_video(clip, 4, start=0.5).key}
    assert len(keys | {read_video(clip, 4, longest=64).key}) == 4
    assert content_key(clip) == content_key(copy)
    copy.write_bytes(clip.read_bytes() + b"\0")
    assert content_key(clip) != content_key(copy)
    assert read_video(copy, 4).key != video.key
    with pytest.raises(VideoError, match="no such file"):
        content_key(tmp_path / "nothing")
