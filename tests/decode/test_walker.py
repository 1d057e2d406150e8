from dataclasses import replace

import numpy as np
import pytest
from makeclips import number, write_clip

from scissor.decode.__main__ import mend_duration
from scissor.decode.walker import Walker, scan

KINDS = {
    "h264.mp4": {"g": 30},
    "late.avi": {"codec": "mpeg4", "bf": 2, "g": 30},
    "recorder.webm": {
        "codec": "libvpx",
        "deadline": "realtime",
        "g": 30,
        "pipe": True,
        "times": [i * 33 + i % 3 for i in range(240)],
        "container_options": {"live": "1"},
    },
    "uneven.mp4": {"g": 30, "times": [10 * i + 300 * (i // 40) for i in range(240)]},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Each kind of clip as the file `clip` in a folder of its own."""
    made = {}
    for name, options in KINDS.items():
        made[name] = tmp_path_factory.mktemp("walk")
        write_clip(made[name] / name, 240, **options).rename(made[name] / "clip")
    return made


@pytest.fixture(params=KINDS)
def index(request, folders, monkeypatch):
    """The index of the clip in the working directory."""
    monkeypatch.chdir(folders[request.param])
    found = scan(100)
    mend_duration(found)
    return found


def test_the_index_knows_every_frame(index):
    assert len(index.times) == 240
    assert index.times[0] == 0
    assert (np.diff(index.times) > 0).all()
    assert len(index.keys) >= 8


def test_a_seek_and_a_walk_find_the_same_frames(index, monkeypatch):
    seeks = []
    seek = Walker._seek
    monkeypatch.setattr(Walker, "_seek", lambda *a: seeks.append(seek(*a)) or seeks[-1])
    rng = np.random.default_rng(0)
    for count in (2, 3, 4, 6, 6, 20):
        walker = Walker(index)
        for i in np.sort(rng.choice(240, count, replace=False)):
            assert walker.go(int(i))
            assert number(walker.image()) == i
            assert walker.time == pytest.approx(index.times[i], abs=1)
    assert len(seeks) > 5
    assert all(seeks)


def test_seeks_that_land_late_are_walked_instead(index):
    walker = Walker(replace(index, rate=index.rate * 3))
    for i in (0, 70, 75, 150, 239):
        assert walker.go(i)
        assert number(walker.image()) == i
    assert not walker.seekable


def test_a_walk_ends_with_the_clip(index):
    longer = np.append(index.times, index.times[-1] + index.gap * np.arange(1, 9))
    walker = Walker(replace(index, times=longer))
    assert walker.go(239)
    assert not walker.go(247)
    assert walker.time == pytest.approx(index.times[-1], abs=1)
