"""Questions are asked only where the answer is sure."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor.scenes.dice import Dice
from scissor.scenes.library import exam_library
from scissor.scenes.questions import KINDS, LARGER, MIDDLE, TARGETS, ask, sample_clip
from scissor.scenes.scene import FRAME_COUNTS, Actor, Scene, frame_times, sample_scene
from scissor.scenes.wordings import TEXTS, word_in

seeds = st.integers(0, 2**32)


def actor_of(scene, name):
    return next(actor for actor in scene.actors if actor.name == name)


@settings(max_examples=60)
@given(seeds)
def test_every_question_follows_from_the_boxes(seed):
    library, rng = exam_library(), Dice(seed)
    scene = sample_scene(rng, library)
    names = {actor.name for actor in scene.actors}
    asked = {kind: ask(kind, scene, library, rng) for kind in KINDS}
    assert set(asked["list"].truth) == names
    assert dict(asked["describe"].truth) == {actor.name: actor.motion for actor in scene.actors}
    assert (asked["exist"].about in names) == asked["exist"].truth
    assert asked["motion"].truth == actor_of(scene, asked["motion"].about).motion
    assert (asked["colour"] is None) == (scene.colour is None)
    for frames in FRAME_COUNTS:
        shown = [{a.name for a in scene.actors if a.box(t)} for t in frame_times(frames)]
        if asked["later"]:
            assert shown[-1] - shown[0] == {asked["later"].truth}
        if asked["gone"]:
            assert shown[0] - shown[-1] == {asked["gone"].truth}
        if asked["count"]:
            assert len(set.union(*shown)) == asked["count"].truth
    if asked["where"]:
        box = actor_of(scene, asked["where"].about).box(0) or actor_of(
            scene, asked["where"].about
        ).box(1)
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        rows, columns = asked["where"].truth.split()
        assert (y < 0.5 - MIDDLE + 1e-3) if rows == "top" else (y > 0.5 + MIDDLE - 1e-3)
        assert (x < 0.5 - MIDDLE + 1e-3) if columns == "left" else (x > 0.5 + MIDDLE - 1e-3)


@settings(max_examples=60)
@given(seeds)
def test_the_largest_is_clearly_larger_by_box_and_by_outline(seed):
    library, rng = exam_library(), Dice(seed)
    scene = sample_scene(rng, library, actors=2)
    question = ask("largest", scene, library, rng)
    size = {a.name: a.size[0] * a.size[1] for a in scene.actors}
    outline = {a.name: size[a.name] * library.pictures[a.picture].fill for a in scene.actors}
    for areas in (size, outline):
        low, high = sorted(areas, key=areas.__getitem__)
        if question:
            assert question.truth == high
            assert areas[high] >= LARGER * areas[low]


def test_equal_things_have_no_largest():
    library = exam_library()
    pair = [
        Actor(i, library.pictures[i].name, (0.3, 0.3), (x, 0.5), (x, 0.5), "still")
        for i, x in ((0, 0.2), (1, 0.8))
    ]
    assert (
        ask("largest", Scene(tuple(pair), colour="red", rgb=(205, 35, 40)), library, Dice(1))
        is None
    )


def test_what_stands_in_the_middle_has_no_corner():
    library = exam_library()
    actor = Actor(0, library.pictures[0].name, (0.3, 0.3), (0.55, 0.2), (0.55, 0.2), "still")
    scene = Scene((actor,), colour="red", rgb=(205, 35, 40))
    assert ask("where", scene, library, Dice(1)) is None


@settings(max_examples=60)
@given(seeds)
def test_what_is_asked_for_in_vain_can_be_mixed_up_with_nothing(seed):
    library, rng = exam_library(), Dice(seed)
    scene = sample_scene(rng, library)
    question = ask("exist", scene, library, rng, target=False)
    near = set().union(*(library.enemies[actor.name] for actor in scene.actors))
    if scene.background is not None:
        near |= library.shown.get(library.backgrounds[scene.background].scene, frozenset())
    assert question.about not in near


@settings(max_examples=20)
@given(seeds, st.permutations(KINDS).map(lambda kinds: tuple(kinds[:2])))
def test_a_clip_answers_the_kinds_and_truths_that_are_wanted(seed, kinds):
    targets = {k: TARGETS[k][seed % len(TARGETS[k])] for k in kinds if k in TARGETS}
    _, questions = sample_clip(Dice(seed), exam_library(), kinds, targets=targets)
    assert tuple(question.kind for question in questions) == kinds
    for question in questions:
        if question.kind in targets and question.kind != "count":
            assert question.truth == targets[question.kind]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dog", "Is there a dog in the video?"),
        ("scissors", "Are there scissors in the video?"),
        ("bread", "Is there bread in the video?"),
        ("moon", "Is there the moon in the video?"),
        ("eagle", "Is there an eagle in the video?"),
    ],
)
def test_wordings_agree_with_the_name(name, text):
    assert word_in(TEXTS["exist"][0], exam_library().words[name]) == text


def test_every_wording_can_be_filled_for_every_name():
    for texts in TEXTS.values():
        for text in texts:
            for word in exam_library().words.values():
                assert "{" not in word_in(text, word)
