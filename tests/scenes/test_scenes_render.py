"""Pixels are where the geometry says, and nowhere else."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor.scenes.dice import Dice
from scissor.scenes.library import exam_library
from scissor.scenes.render import SIDE, clip, render
from scissor.scenes.scene import FRAME_COUNTS, frame_times, sample_scene


def without(scene, index):
    rest = tuple(actor for i, actor in enumerate(scene.actors) if i != index)
    return dataclasses.replace(scene, actors=rest)


@settings(max_examples=12)
@given(st.integers(0, 2**32))
def test_an_actor_changes_its_box_and_nothing_else(seed):
    scene = sample_scene(Dice(seed), exam_library())
    index = seed % len(scene.actors)
    frames = 5
    changed = (
        render(scene, exam_library(), frames)
        != render(without(scene, index), exam_library(), frames)
    ).any(-1)
    for k, time in enumerate(frame_times(frames)):
        box = scene.actors[index].box(time)
        if box is None:
            assert not changed[k].any()
            continue
        rows, cols = (np.flatnonzero(changed[k].any(axis)) for axis in (1, 0))
        assert cols[0] >= box[0] * SIDE - 2
        assert rows[0] >= box[1] * SIDE - 2
        assert cols[-1] <= box[2] * SIDE + 2
        assert rows[-1] <= box[3] * SIDE + 2


@settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_the_covered_part_is_what_the_index_says(seed):
    library = exam_library()
    scene = sample_scene(Dice(seed), library, actors=1, plain=True)
    actor, frame = scene.actors[0], render(scene, library, 1)[0]
    shown = (np.abs(frame - np.array(scene.rgb)).sum(-1) > 30).mean()
    box = actor.size[0] * actor.size[1]
    assert shown / box == pytest.approx(library.pictures[actor.picture].fill, abs=0.15)


@settings(max_examples=8)
@given(st.integers(0, 2**32), st.sampled_from(FRAME_COUNTS))
def test_the_same_scene_at_other_frame_counts(seed, frames):
    library = exam_library()
    scene = sample_scene(Dice(seed), library)
    video = clip(scene, library, frames)
    assert video.frames.shape == (frames, SIDE, SIDE, 3)
    assert video.frames.dtype == np.uint8
    assert len(video.times) == frames
    ends = render(scene, library, 4)[[0, -1]]
    assert (video.frames[[0, -1]] == ends).all()
    assert video.key == clip(scene, library, frames).key
    assert video.key != clip(scene, library, frames + 1).key


def test_a_background_pans_slowly_and_a_plain_one_is_plain():
    library = exam_library()
    scene = sample_scene(Dice(3), library, plain=False)
    still = dataclasses.replace(scene, actors=())
    first, *_, last = render(still, library, 8)
    assert (first != last).any()
    plain = dataclasses.replace(still, background=None, colour="red", rgb=(205, 35, 40))
    assert (render(plain, library, 2) == np.array([205, 35, 40])).all()
