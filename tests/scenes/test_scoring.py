"""The truth scores 100%, in any usual words; what is wrong does not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scissor.scenes.dice import Dice
from scissor.scenes.library import exam_library
from scissor.scenes.questions import KINDS, Question, ask
from scissor.scenes.scene import sample_scene
from scissor.scenes.scoring import overlap, score
from scissor.scenes.wordings import answer

seeds = st.integers(0, 2**32)


def q(kind, truth, about=None):
    return Question(kind, "", "", truth, about)


LIST = q("list", ["dog", "car", "scissors"])
FACTS = q("describe", [["dog", "left"], ["car", "still"]])


@settings(max_examples=100)
@given(seeds)
def test_the_scenes_own_truth_scores_full_and_another_scenes_less(seed):
    library, rng = exam_library(), Dice(seed)
    scene, other = sample_scene(rng, library), sample_scene(rng, library)
    for kind in KINDS:
        question, wrong = ask(kind, scene, library, rng), ask(kind, other, library, rng)
        if question:
            assert score(question, question.answer) == 1
            assert score(question, question.answer.capitalize() + ".") == 1
        if question and wrong and kind in ("list", "describe") and len(other.actors) > 1:
            mixed_up = {n for a in scene.actors for n in library.enemies[a.name]}
            if not mixed_up & {a.name for a in other.actors}:
                assert score(question, wrong.answer) == 0


@settings(max_examples=60)
@given(seeds)
def test_order_does_not_matter_and_a_missing_or_added_thing_does(seed):
    library, rng = exam_library(), Dice(seed)
    scene = sample_scene(rng, library, actors=3)
    listed, told = (ask(kind, scene, library, rng) for kind in ("list", "describe"))
    turned = answer("list", listed.truth[::-1], None, library)
    assert score(listed, turned) == 1
    assert score(told, answer("describe", told.truth[::-1], None, library)) == 1
    fewer = answer("list", listed.truth[:-1], None, library)
    assert score(listed, fewer) == 0
    assert 0.7 < overlap(listed, fewer) < 0.9
    assert score(told, answer("describe", told.truth[:-1], None, library)) == pytest.approx(2 / 3)
    absent = ask("exist", scene, library, rng, target=False).about
    more = answer("list", [*listed.truth, absent], None, library)
    assert score(listed, more) == 0
    shotgun = [*told.truth, [absent, "up"]]
    assert score(told, answer("describe", shotgun, None, library)) == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    "text",
    [
        "a dog, a car and scissors",
        "Scissors, a car, and a dog.",
        "The video shows a dog, an automobile and a pair of scissors.",
        "dogs, cars, scissors",
        "I can see a puppy, a red car and some scissors on a green background",
        "There is a big brown dog next to a car. There are scissors too.",
    ],
)
def test_lists_in_free_words(text):
    assert score(LIST, text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a dog and a car",
        "a dog, a car, scissors and a cat",
        "a dog, a car, scissors and a zorgon",
        "a hot dog, a car and scissors",
        "a dog, a police car and scissors",
        "yes",
    ],
)
def test_wrong_lists(text):
    assert score(LIST, text) == 0


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a dog moves left and a car stays still", 1),
        ("A car does not move. A dog is moving to the left.", 1),
        ("a dog goes from right to left while a car in the top right corner stands still", 1),
        ("the car on the right is stationary and the puppy travels leftwards", 1),
        ("a dog moves right and a car stays still", 0.5),
        ("a dog and a car stay still", 0.5),
        ("a dog and a car", 0),
        ("a cat moves left and a car stays still", 0.5),
        ("a bird flies left", 0),
    ],
)
def test_facts_in_free_words(text, right):
    assert score(FACTS, text) == pytest.approx(right)


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        (
            q("count", 3),
            ["three", "3", "There are three objects."],
            ["two", "", "two or three", "30"],
        ),
        (
            q("exist", True, "dog"),
            ["yes", "Yes, there is a dog.", "there is"],
            ["no", "", "a dog", "No, there is not"],
        ),
        (
            q("exist", False, "dog"),
            ["no", "No.", "there is no dog", "there isn't"],
            ["yes", "", "yes and no"],
        ),
        (
            q("motion", "left", "dog"),
            ["left", "to the left", "it moves leftwards", "from right to left"],
            ["right", "", "left and up", "it stays still", "up"],
        ),
        (
            q("motion", "still", "dog"),
            ["it stays still", "not at all", "It does not move.", "it doesn't move", "stationary"],
            ["left", "", "it moves"],
        ),
        (
            q("motion", "down", "dog"),
            ["down", "downwards", "from top to bottom"],
            ["up", "bottom to top"],
        ),
        (
            q("where", "top left", "dog"),
            ["top left", "In the upper left corner.", "top-left", "on the left at the top"],
            ["left", "bottom left", "top", "top right", "", "top left or top right"],
        ),
        (
            q("colour", "grey"),
            ["grey", "Gray.", "the background is gray"],
            ["white", "", "grey and white"],
        ),
        (
            q("later", "sailboat"),
            ["a sailboat", "a boat", "A sailing boat appears later."],
            ["a ship and a dog", "a dog", "", "a car"],
        ),
        (q("largest", "orange"), ["an orange", "the tangerine"], ["an apple", "an orange cat"]),
        (
            q("gone", "mouse"),
            ["mice", "a mouse", "the mouse disappears"],
            ["a computer mouse", "a rat and a mouse trap"],
        ),
    ],
)
def test_free_answers(question, right, wrong):
    assert [score(question, text) for text in right] == [1] * len(right)
    assert [score(question, text) for text in wrong] == [0] * len(wrong)


def test_every_name_and_alias_is_read_as_itself():
    for word in exam_library().words.values():
        question = q("largest", word.name)
        for text in (word.name, word.phrase, word.definite, *word.aliases):
            assert score(question, text) == 1, (word.name, text)
            assert score(question, f"I think it is the {text}, yes.") == 1, (word.name, text)


@settings(max_examples=200)
@given(st.text(max_size=60), seeds)
def test_any_text_can_be_judged(text, seed):
    library, rng = exam_library(), Dice(seed % 20)
    scene = sample_scene(rng, library)
    for kind in KINDS:
        question = ask(kind, scene, library, rng)
        if question:
            assert 0 <= score(question, text) <= 1
