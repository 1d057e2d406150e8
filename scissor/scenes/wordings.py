"""How questions are asked and answered in words.

Knows sentences and their agreement with a name. Leaves what is asked to questions.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scissor.scenes.library import Library, Word

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")

# {a}: "a dog", {n}: "dog", {the}: "the dog", {is} {does} {it}: agreeing with it.
TEXTS = {
    "list": (
        "What objects appear in the video?",
        "What can you see in the video?",
        "Which things are in this clip?",
        "List the objects in the video.",
        "Name everything that appears in the clip.",
        "What is in the video?",
        "what do you see?",
        "What things show up here?",
    ),
    "describe": (
        "Describe the video.",
        "What happens in the video?",
        "Describe what each object in the clip does.",
        "What is going on in this clip?",
        "Tell me about the video.",
        "Describe the clip in one sentence.",
        "what is happening?",
    ),
    "count": (
        "How many objects appear in the video?",
        "How many different things are there in the clip?",
        "Count the objects in the video.",
        "How many objects can you see?",
        "What is the number of objects in this clip?",
        "how many things are there?",
    ),
    "exist": (
        "{Is} there {a} in the video?",
        "{Does} {a} appear in the clip?",
        "Can you see {a} in the video?",
        "{is} there any {n}?",
        "Do you see {a}?",
        "{Is} {a} anywhere in this clip?",
    ),
    "motion": (
        "Which way {does} {the} move: left, right, up, down, or not at all?",
        "{Does} {the} move left, right, up or down, or stay still?",
        "In which direction {does} {the} move?",
        "How {does} {the} move?",
        "Which way {is} {the} going?",
        "where {does} {the} move to?",
    ),
    "where": (
        "Where {is} {the}: top left, top right, bottom left or bottom right?",
        "In which corner of the frame {is} {the}?",
        "Where in the frame {is} {the}?",
        "Where {is} {the}?",
        "Which part of the picture {is} {the} in?",
        "where can I find {the}?",
    ),
    "colour": (
        "What colour is the background?",
        "Which colour does the background have?",
        "What is the colour behind the objects?",
        "What color is the background?",
        "which color is behind everything?",
    ),
    "later": (
        "What appears later in the video?",
        "Which object was not there at the beginning?",
        "What shows up only in the second half of the clip?",
        "What new object appears?",
        "what comes in later?",
        "Which object appears after the start?",
    ),
    "gone": (
        "What has disappeared by the end of the video?",
        "Which object is gone at the end?",
        "What was there at the beginning but not at the end of the clip?",
        "What disappears?",
        "which thing leaves before the end?",
        "Which object is missing in the last frame?",
    ),
    "largest": (
        "What is the largest object in the video?",
        "Which object is the biggest?",
        "Which of the things in the clip is the largest?",
        "What is the biggest thing you can see?",
        "which one is largest?",
        "Name the largest object.",
    ),
}


def join(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *most, last = list(items)
    return f"{', '.join(most)} and {last}" if most else last


def does(word: Word, motion: str) -> str:
    """ "a dog moves left", "scissors stay still"."""
    s = "" if word.plural else "s"
    verb = f"stay{s} still" if motion == "still" else f"move{s} {motion}"
    return f"{word.phrase} {verb}"


def word_in(text: str, word: Word) -> str:
    """Puts a name into a wording."""
    verbs = ("are", "do") if word.plural else ("is", "does")
    slots = {"is": verbs[0], "does": verbs[1], "Is": verbs[0].title(), "Does": verbs[1].title()}
    return text.format(a=word.phrase, n=word.name, the=word.definite, **slots)


def answer(kind: str, truth: Any, about: str | None, library: Library) -> str:
    """A good answer in lower case."""
    if kind == "list":
        return join(library.words[name].phrase for name in truth)
    if kind == "describe":
        return join(does(library.words[name], motion) for name, motion in truth)
    if kind == "count":
        return NUMBERS[truth]
    if kind == "exist":
        return "yes" if truth else "no"
    if kind == "motion" and truth == "still":
        return f"{'they stay' if library.words[about].plural else 'it stays'} still"
    if kind in ("later", "gone", "largest"):
        return library.words[truth].phrase
    return truth
