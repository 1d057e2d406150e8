"""Four options, one of them right: pinned, spread evenly, none of them true as well."""

from collections import Counter
from itertools import combinations

import pytest

from scissor.scenes import exam, exam_library, score
from scissor.scenes.choices import CHOSEN, OPTIONS, choices, fingerprint

# Changing it is changing the test: numbers measured before can no longer be compared.
CHOICES = "be8a2b5f408806323514f9af3c68b59cfc6f20a6303aeb2cc31605857e61bed3"


@pytest.fixture(scope="module")
def asked():
    library = exam_library()
    return [(clip, choice) for clip in exam() for choice in choices(clip, library)]


def test_all_questions_and_options_are_pinned(asked):
    assert fingerprint(choice for _, choice in asked) == CHOICES


def test_seven_kinds_120_questions_each_and_four_different_options(asked):
    assert Counter(c.question.kind for _, c in asked) == dict.fromkeys(CHOSEN, 120)
    assert len(CHOSEN) == 7
    assert all(len(set(c.options)) == OPTIONS for _, c in asked)


def test_scoring_agrees_on_which_option_is_right(asked):
    for _, choice in asked:
        right = [score(choice.question, option) for option in choice.options]
        assert right == [float(i == choice.right) for i in range(OPTIONS)], choice


def test_the_right_one_stands_anywhere(asked):
    places = Counter(choice.right for _, choice in asked)
    assert all(abs(places[i] - 210) < 50 for i in range(OPTIONS)), places


def test_everything_else_in_the_scene_is_an_option_and_no_other_can_be_mixed_up_with_it(asked):
    library = exam_library()
    names = {word.phrase: name for name, word in library.words.items()}
    for clip, choice in asked:
        if choice.question.kind not in ("later", "gone", "largest"):
            continue
        options, shown = {names[o] for o in choice.options}, {a.name for a in clip.scene.actors}
        assert shown <= options
        for a, b in combinations(options, 2):
            assert b not in library.enemies[a]
        if clip.scene.background is not None:
            place = library.backgrounds[clip.scene.background].scene
            assert not library.shown.get(place, frozenset()) & (options - shown)


def test_a_closed_set_cannot_be_told_from_its_options_alone(asked):
    """Every value is an option about as often where it is wrong as the balance lets it be."""
    for kind, values in (("count", 4), ("where", 4), ("motion", 5), ("colour", 10)):
        options = Counter(o for _, c in asked if c.question.kind == kind for o in c.options)
        least = 120 * OPTIONS / values * 0.6
        if kind != "motion":  # "it stays still" and "they stay still" are one value
            assert len(options) == values
            assert min(options.values()) >= least, (kind, options)
