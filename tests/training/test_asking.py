"""What else visitors ask: plurals, typing, and what a natural picture is said to show."""

import re
from collections import Counter

import pytest

from scissor.scenes.dice import Dice
from scissor.scenes.scene import Scene
from scissor.training.asking import BLIND, CANNOT, EASY, NO_IDEA, careless, plural, questions
from scissor.training.shots import Shot, shoot


@pytest.mark.parametrize(
    ("one", "many"),
    [("dog", "dogs"), ("fox", "foxes"), ("cherry", "cherries"), ("key", "keys"), ("bus", "buses")],
)
def test_plurals(one, many):
    assert plural(one) == many


def test_typing_keeps_most_letters_and_often_everything():
    text = "What objects appear in the video?"
    typed = [careless(Dice(7, k), text) for k in range(300)]
    assert 150 < sum(t == text for t in typed) < 260
    assert all(abs(len(t) - len(text)) <= 2 for t in typed)
    assert any(t.lower() not in (text.lower(), text.lower()[:-1]) for t in typed)


def test_easy_kinds_are_asked_less_often(album):
    asked = Counter()
    for k in range(150):
        shot = shoot(Dice(3, k), album)
        if shot.scene.actors and shot.scene.actors[0].picture >= 0:
            asked.update(question.kind for question in questions(Dice(4, k), album, shot, 8))
    rest = ("list", "describe", "count")
    assert 0.3 < (sum(asked[k] for k in EASY) / len(EASY)) / (sum(asked[k] for k in rest) / 3) < 0.7


def test_a_place_by_itself_is_named_and_nothing_in_it(album):
    for place, background in enumerate(album.library.backgrounds):
        shot = Shot(Scene((), background=place), ())
        for question in questions(Dice(8, place), album, shot, 12):
            assert question.kind in ("place", "vague", "unknown", "exist")
            if question.kind == "vague":
                assert question.answer == NO_IDEA or question.answer.endswith(f"; {BLIND}")
                known = background.scene not in ("abstract", "texture")
                assert known == (question.answer != NO_IDEA)
            if question.kind == "exist":
                assert question.answer == "no"


def test_nothing_that_is_shown_is_called_absent_by_another_word(album):
    rng = Dice(9)
    for _ in range(150):
        shot = shoot(rng, album)
        shown = " ".join(
            text
            for actor in shot.scene.actors
            for text in (actor.name, *album.library.words[actor.name].aliases)
        )
        for question in questions(rng, album, shot, 8):
            if question.kind == "exist" and question.answer == "no":
                assert not set(question.about.split()) & set(re.split(r"\W+", shown))
            if question.kind == "unknown":
                assert question.answer == CANNOT
