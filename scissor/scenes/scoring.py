"""Judges a free answer against the truth of a question.

Knows how people word names, numbers, directions and corners: articles, order, punctuation and
plurals do not matter, a name may be said by another word for it. Leaves the wording of questions
to questions.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from scissor.scenes.library import Word, exam_library
from scissor.scenes.questions import Question
from scissor.scenes.scene import COLOURS
from scissor.scenes.wordings import NUMBERS

ODD = {
    "mice": "mouse",
    "men": "man",
    "women": "woman",
    "children": "child",
    "leaves": "leaf",
    "knives": "knife",
    "wolves": "wolf",
    "loaves": "loaf",
    "feet": "foot",
    "teeth": "tooth",
    "people": "person",
    "policemen": "policeman",
}
SAME_COLOUR = {"gray": "grey", "violet": "purple", "magenta": "pink", "navy": "blue"}
SAME_COLOUR |= {colour: colour for colour in COLOURS}
ADJECTIVES = {"orange", "rose", "peach", "olive", "gold", "wood", "chocolate", "lemon", "plant"}
# After "a" or "an" these name nothing that could be there or not.
_VAGUE = (
    "video clip scene background frame picture photo image few lot couple row different total "
    "moment while second first third bit field forest beach mountain mountains lake sea sky "
    "swamp plain solid dark light bright colour color white black red green blue yellow pink "
    "purple brown grey gray blurry blurred colourful colorful"
)
VAGUE = frozenset(_VAGUE.split())
STILL = re.compile(
    r"\b(still|not mov\w*|stationary|motionless|static|not at all|in place|stands?|rests?)\b"
    r"|n't mov"
)
_SIDE = r"(?:the )?(top|bottom|left|right)"


@dataclass(frozen=True)
class Mention:
    """Words of an answer that name a thing: token span and what they may mean."""

    start: int
    end: int
    names: frozenset[str]


class Reader:
    """Finds the known names in a text."""

    def __init__(self, words: Mapping[str, Word]):
        self.known: dict[tuple[str, ...], set[str]] = {}
        for word in words.values():
            for text in (word.name, *word.aliases):
                self.known.setdefault(tuple(_tokens(text)), set()).add(word.name)
        self.longest = max(map(len, self.known), default=1)

    def mentions(self, tokens: list[str], raw: list[str]) -> list[Mention]:
        """Longest first; "orange" before another name is a colour, "flies" after one a verb."""
        found: list[Mention] = []
        at = 0
        while at < len(tokens):
            for size in range(min(self.longest, len(tokens) - at), 0, -1):
                names = self.known.get(tuple(tokens[at : at + size]))
                if names:
                    found.append(Mention(at, at + size, frozenset(names)))
                    at += size - 1
                    break
            at += 1
        kept: list[Mention] = []
        for mention in found:
            if kept and kept[-1].end == mention.start:
                if raw[kept[-1].start] in ADJECTIVES:
                    kept.pop()
                elif raw[mention.start].endswith("s"):
                    continue
            kept.append(mention)
        return kept


@lru_cache(maxsize=1)
def _exam_reader() -> Reader:
    return Reader(exam_library().words)


def score(question: Question, text: str, reader: Reader | None = None) -> float:
    """0 to 1: 1 where the answer is right; describe gives the share of facts that are right.

    reader: of the library in use; the evaluation's own without one.
    """
    reader = reader or _exam_reader()
    kind, truth = question.kind, question.truth
    if kind == "list":
        return float(overlap(question, text, reader) == 1)
    if kind == "describe":
        return facts_right(truth, text, reader)
    if kind in ("later", "gone", "largest"):
        right, wrong = _names([truth], text, reader)
        return float(right == {truth} and not wrong)
    if kind == "count":
        return float(_number(text) == truth)
    if kind == "exist":
        return float(_yes(text) == truth)
    if kind == "motion":
        return float(_motions(text) == {truth})
    if kind == "where":
        return float(_corner(text) == truth)
    return float(_colours(text) == {truth})


def overlap(question: Question, text: str, reader: Reader | None = None) -> float:
    """F1 of the names in a list: what a nearly right list is worth."""
    right, wrong = _names(question.truth, text, reader or _exam_reader())
    said = len(right) + wrong
    return 2 * len(right) / (said + len(question.truth)) if said else 0.0


def facts_right(truth: list, text: str, reader: Reader) -> float:
    """Right (name, motion) pairs over the larger of pairs told and pairs true."""
    clean = _without_places(text.lower())
    raw = _split(clean)
    tokens = [_stem(word) for word in raw]
    mentions = reader.mentions(tokens, raw)
    ends = [*(mention.start for mention in mentions[1:]), len(raw)][: len(mentions)]
    moves = [
        _motions(" ".join(raw[mention.end : end]))
        for mention, end in zip(mentions, ends, strict=True)
    ]
    for i in range(len(moves) - 2, -1, -1):
        moves[i] = moves[i] or moves[i + 1]
    rest = [tuple(fact) for fact in truth]
    right = 0
    for mention, move in zip(mentions, moves, strict=True):
        hit = next((f for f in rest if f[0] in mention.names and move == {f[1]}), None)
        if hit:
            rest.remove(hit)
            right += 1
    said = _distinct(mentions, [name for name, _ in truth]) + _unknown(raw, mentions)
    return right / max(len(truth), said)


def _names(truth: list[str], text: str, reader: Reader) -> tuple[set[str], int]:
    """The true names that are said, and how many other things are."""
    raw = _split(text.lower())
    tokens = [_stem(word) for word in raw]
    mentions = reader.mentions(tokens, raw)
    right: set[str] = set()
    for mention in mentions:
        right |= set(sorted(mention.names & set(truth))[:1])
    return right, _distinct(mentions, truth) - len(right) + _unknown(raw, mentions)


def _distinct(mentions: list[Mention], truth: list[str]) -> int:
    said = {tuple(sorted(m.names & set(truth))[:1]) or tuple(sorted(m.names)) for m in mentions}
    return len(said)


def _unknown(raw: list[str], mentions: list[Mention]) -> int:
    """Things said with "a" or "an" that are not in the vocabulary."""
    starts = {mention.start for mention in mentions}
    inside = {i for mention in mentions for i in range(mention.start, mention.end)}
    return sum(
        word in ("a", "an")
        and i not in inside
        and not starts & {i + 1, i + 2, i + 3}
        and i + 1 < len(raw)
        and not set(raw[i + 1 : i + 3]) & VAGUE
        for i, word in enumerate(raw)
    )


def _number(text: str) -> int | None:
    found = {int(word) for word in re.findall(r"\b\d+\b", text)}
    found |= {NUMBERS.index(word) for word in _split(text.lower()) if word in NUMBERS}
    return found.pop() if len(found) == 1 else None


def _yes(text: str) -> bool | None:
    words = _split(text.lower())
    denied = bool({"no", "not", "none", "nothing"} & set(words)) or "n't" in text.lower()
    agreed = bool({"yes", "yeah", "yep", "there"} & set(words))
    if "yes" in words and "no" in words:
        return None
    return False if denied else True if agreed else None


def _motions(text: str) -> set[str]:
    """Directions that are told; a path from one side to another counts by its end."""
    text = re.sub(rf"\b(from )?{_SIDE} to {_SIDE}\b", r"\3", text.lower())
    text = re.sub(rf"\bfrom {_SIDE}\b", " ", text)
    if STILL.search(text):
        return {"still"}
    words = {"leftward": "left", "rightward": "right", "upward": "up", "downward": "down"}
    words |= {"leftwards": "left", "rightwards": "right", "upwards": "up", "downwards": "down"}
    words |= {"top": "up", "bottom": "down", "rises": "up", "falls": "down", "sinks": "down"}
    told = {words.get(word, word) for word in _split(text)}
    return told & {"left", "right", "up", "down"}


def _without_places(text: str) -> str:
    """Leaves out where things stand, so that only where they go is read."""
    side = r"(top|bottom|upper|lower|left|right|middle|center|centre)"
    return re.sub(
        rf"\b(in|on|at|near) the {side}([ -]{side})?( (corner|side|part|half))?", " ", text
    )


def _corner(text: str) -> str | None:
    words = set(_split(text.lower().replace("-", " ")))
    rows = {"top" for w in ("top", "upper", "above", "up") if w in words}
    rows |= {"bottom" for w in ("bottom", "lower", "below", "down") if w in words}
    columns = words & {"left", "right"}
    return f"{rows.pop()} {columns.pop()}" if len(rows) == len(columns) == 1 else None


def _colours(text: str) -> set[str]:
    return {SAME_COLOUR[word] for word in _split(text.lower()) if word in SAME_COLOUR}


def _split(text: str) -> list[str]:
    text = text.replace("'s ", " ").replace("’", "'").replace("-", " ")
    return re.findall(r"[a-z']+|\d+|[,.;]", text)


def _tokens(text: str) -> list[str]:
    return [_stem(word) for word in _split(text.lower())]


def _stem(word: str) -> str:
    """Singular of a plural, roughly; the same for names and for answers."""
    if word in ODD:
        return ODD[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(s|x|z|ch|sh)es$", word):
        return word[:-2]
    return word[:-1] if len(word) > 3 and re.search(r"[^su]s$", word) else word
