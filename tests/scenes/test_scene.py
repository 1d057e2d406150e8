"""Scenes keep their promises at every number of frames, whatever the lot."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor.scenes.dice import Dice
from scissor.scenes.library import exam_library
from scissor.scenes.scene import (
    FRAME_COUNTS,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    SEEN,
    TRAVEL,
    Actor,
    Scene,
    frame_times,
    free_parts,
    sample_scene,
)

scenes = st.integers(0, 2**32).map(lambda seed: sample_scene(Dice(seed), exam_library()))


@settings(max_examples=60, deadline=None)
@given(scenes)
def test_everything_is_inside_and_seen_at_every_frame_count(scene):
    for frames in FRAME_COUNTS:
        present = [0] * len(scene.actors)
        for time in frame_times(frames):
            for i, part in enumerate(free_parts(scene, time)):
                box = scene.actors[i].box(time)
                assert (box is None) == (part == 0)
                if box:
                    present[i] += 1
                    assert part >= SEEN - 1e-9
                    assert min(box) >= -1e-3
                    assert max(box) <= 1 + 1e-3
        assert min(present) >= 2
    for actor in scene.actors:
        assert actor.size[0] >= LEAST_WIDTH - 1e-3
        assert actor.size[1] >= LEAST_HEIGHT - 1e-3


@settings(max_examples=60, deadline=None)
@given(scenes)
def test_a_moving_thing_goes_far_enough_between_the_frames_that_show_it(scene):
    for frames in FRAME_COUNTS:
        for actor in scene.actors:
            boxes = [box for box in map(actor.box, frame_times(frames)) if box]
            dx, dy = (boxes[-1][k] - boxes[0][k] for k in (0, 1))
            told = {"left": -dx, "right": dx, "up": -dy, "down": dy}
            if actor.motion == "still":
                assert (dx, dy) == (0, 0)
            else:
                assert told[actor.motion] >= TRAVEL
                assert sorted(map(abs, (dx, dy)))[0] == 0


@settings(max_examples=60, deadline=None)
@given(scenes)
def test_names_never_meet_what_they_could_be_mixed_up_with(scene):
    library = exam_library()
    names = [actor.name for actor in scene.actors]
    for i, name in enumerate(names):
        assert library.pictures[scene.actors[i].picture].name == name
        assert not library.enemies[name] & set(names[:i] + names[i + 1 :])
        if scene.background is not None:
            place = library.backgrounds[scene.background].scene
            assert name not in library.shown.get(place, ())


@settings(max_examples=30, deadline=None)
@given(scenes)
def test_a_scene_survives_a_text_file(scene):
    told = json.loads(json.dumps(scene.as_dict()))
    told["actors"] = tuple(
        Actor(**{k: tuple(v) if isinstance(v, list) else v for k, v in actor.items()})
        for actor in told["actors"]
    )
    told["pan"] = tuple(map(tuple, told["pan"]))
    told["rgb"] = tuple(told["rgb"]) if told["rgb"] else None
    assert Scene(**told) == scene


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_wishes_are_fulfilled(seed):
    rng = Dice(seed)
    wish = {"actors": 3, "plain": "red", "late": True, "gone": True, "motions": ("up", "still")}
    scene = sample_scene(rng, exam_library(), **wish)
    assert len(scene.actors) == 3
    assert scene.colour == "red"
    assert sum(actor.enter > 0 for actor in scene.actors) == 1
    assert sum(actor.leave < 1 for actor in scene.actors) == 1
    assert {"up", "still"} <= {actor.motion for actor in scene.actors}


@pytest.mark.parametrize("wish", [{"actors": 5}, {"actors": 1, "late": True, "gone": True}])
def test_impossible_wishes_are_refused(wish):
    with pytest.raises(ValueError, match="cannot fulfil"):
        sample_scene(Dice(1), exam_library(), **wish)


def test_motions_are_as_likely_as_they_should_be():
    moves = [
        actor.motion
        for seed in range(300)
        for actor in sample_scene(Dice(7, seed), exam_library(), actors=3).actors
    ]
    assert abs(moves.count("still") / len(moves) - 0.3) < 0.06
    for way in ("left", "right", "up", "down"):
        assert abs(moves.count(way) / len(moves) - 0.175) < 0.05


boxes = st.tuples(*[st.integers(0, 20)] * 2, *[st.integers(1, 12)] * 2)


@settings(max_examples=150, deadline=None)
@given(st.lists(boxes, min_size=1, max_size=4))
def test_free_parts_equal_a_count_of_cells(drawn):
    actors = tuple(
        Actor(0, "x", (w / 32, h / 32), *[((x + w / 2) / 32, (y + h / 2) / 32)] * 2, "still")
        for x, y, w, h in drawn
    )
    cells = [{(i, j) for i in range(x, x + w) for j in range(y, y + h)} for x, y, w, h in drawn]
    for i, part in enumerate(free_parts(Scene(actors), 0.5)):
        rest = cells[i].difference(*cells[i + 1 :])
        assert part == pytest.approx(len(rest) / len(cells[i]), abs=1e-9)


def test_dice_are_the_same_everywhere():
    rng = Dice(2506, 1)
    assert [rng.below(1000) for _ in range(5)] == PINNED
    assert Dice(2506, 1).random() != Dice(2506, 2).random()


PINNED = [600, 225, 748, 614, 478]
