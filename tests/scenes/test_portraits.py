"""Every held-out picture once, alone, still, in the middle: pinned."""

import numpy as np
import pytest

from scissor.scenes import exam_library, render, score
from scissor.scenes.exam import fingerprint
from scissor.scenes.portraits import portraits
from scissor.scenes.scene import stands_out

# Changing it is changing the test: numbers measured before can no longer be compared.
PORTRAITS = "c7899446c3d40f583567dafe6699c2127a81091abbb3dbdbdf53cf70843b213b"


@pytest.fixture(scope="module")
def clips():
    return portraits()


def test_everything_that_is_shown_and_asked_is_pinned(clips):
    assert fingerprint(clips) == PORTRAITS


def test_every_picture_comes_once_and_is_asked_for_by_its_name(clips):
    library = exam_library()
    shown = [clip.scene.actors[0].picture for clip in clips]
    assert len(shown) == 471
    assert sorted(shown) == list(range(len(library.pictures)))
    for clip in clips:
        (actor,), (question,) = clip.scene.actors, clip.questions
        assert question.truth == [actor.name] == [library.pictures[actor.picture].name]
        assert score(question, question.answer) == 1
        assert score(question, "a video") == score(question, "") == 0


def test_a_picture_stands_out_from_what_is_behind_it(clips):
    library = exam_library()
    for clip in clips:
        scene, picture = clip.scene, library.pictures[clip.scene.actors[0].picture]
        assert (scene.background is None) == (clip.index % 2 == 0)
        if scene.background is None:
            assert stands_out(picture, scene.rgb)
        else:
            place = library.backgrounds[scene.background].scene
            assert picture.name not in library.shown.get(place, ())


def test_nothing_moves_and_the_thing_is_in_the_middle(clips):
    library = exam_library()
    for clip in clips[:2]:
        video = render(clip.scene, library, 4)
        assert (video == video[0]).all()
    plain = render(clips[0].scene, library, 1)[0].astype(int)
    rows, columns = np.nonzero(np.abs(plain - clips[0].scene.rgb).sum(-1) > 30)
    for places in (rows, columns):
        assert abs(places.min() + places.max() - 447) < 20
    assert 0.4 * 448 < max(np.ptp(rows), np.ptp(columns)) <= 0.5 * 448


def test_the_first_of_them_are_the_same_however_many_there_are(clips):
    assert portraits(5) == clips[:5]
