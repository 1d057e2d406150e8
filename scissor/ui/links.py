"""Settings that live in a link: what its query string asks of the page.

Knows the names and limits of the parameters, and the sentence for one that is ignored. Leaves
carrying the wish out to events.py, and making a link to static/links.js.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from scissor.ui.desk import LONGEST_QUESTION, check_model, checked
from scissor.ui.errors import RequestError
from scissor.ui.examples import Example
from scissor.ui.redraw import Dial
from scissor.video import content_key

LONGEST_QUERY = 4000
MOST_FRAMES = 32


@dataclass(frozen=True)
class Wish:
    """What a link asks for, None where it says nothing; ignored: a sentence for each bad value."""

    example: Example | None = None
    model: str | None = None
    frames: int | None = None
    question: str | None = None
    dial: Dial | None = None
    ignored: tuple[str, ...] = ()


def name_of(example: Example) -> str:
    """What links call an example."""
    return example.path.stem


def example_at(path: str | None, examples: Sequence[Example]) -> str | None:
    """The name of the example that lies at `path`, or that the file there is a copy of."""
    for example in examples:
        if path and path.rsplit("/", 1)[-1] == example.path.name:
            return name_of(example) if content_key(path) == content_key(example.path) else None
    return None


def read_link(query: Any, examples: Sequence[Example]) -> Wish:
    """The wish behind a query string; bad values are left out, each with a sentence.

    Parameters: example, model, frames, question, and tau or retention. Others are none of ours.
    """
    text = query if isinstance(query, str) and len(query) <= LONGEST_QUERY else ""
    given = dict(parse_qsl(text.lstrip("?")))
    known = {name_of(example): example for example in examples}
    readers: dict[str, Callable[[str], Any]] = {
        "example": lambda value: _one_of(known, value),
        "model": _model,
        "frames": _frames,
        "question": _question,
        "tau": lambda value: Dial("tau", _number(value, "A threshold", -1)),
        "retention": lambda value: Dial("retention", _number(value, "A retention", 0)),
    }
    found, ignored = {}, []
    for name, read in readers.items():
        if name in given:
            try:
                found[name] = read(given[name])
            except RequestError as error:
                ignored.append(f"The link’s {name} is ignored: {error}")
    tau, retention = found.pop("tau", None), found.pop("retention", None)
    if tau and retention:
        ignored.append("The link gives a threshold and a retention; the threshold leads.")
    return Wish(**found, dial=tau or retention, ignored=tuple(ignored))


def _one_of(known: dict[str, Example], value: str) -> Example:
    if value not in known:
        raise RequestError(f"the examples here are {', '.join(known)}.")
    return known[value]


def _model(value: str) -> str:
    check_model(value)
    return value


def _question(value: str) -> str:
    try:
        return checked(value)
    except RequestError:
        raise RequestError(f"a question has 1 to {LONGEST_QUESTION} characters.") from None


def _frames(value: str) -> int:
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MOST_FRAMES):
        raise RequestError(f"1 to {MOST_FRAMES} frames can be sampled.")
    return int(value)


def _number(value: str, what: str, least: int) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not least <= number <= 1 or (least == 0 and number == 0):
        raise RequestError(f"{what.lower()} lies between {least} and 1.")
    return number
