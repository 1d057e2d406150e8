"""What one made clip says of a model under many conditions: a row for each.

Knows what is measured (answers, scores, drift, tokens, operations, seconds), how one reading serves
both questions about a clip, and how all conditions are answered at once where that is quicker.
Leaves clips and scoring to scissor/scenes, which conditions there are and where rows are kept to
accuracy.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scissor.cost import prompt_cost, visual_counts
from scissor.fidelity import Fidelity, Reference, drift_of, fidelity, reference
from scissor.methods import METHODS
from scissor.models.contract import Kept, VideoLLM
from scissor.models.drafts import Prefix
from scissor.scenes import Clip, Library, Question, Reader, overlap, score
from scissor.scenes.render import clip as as_video
from scissor.types import Encoded


@dataclass(frozen=True)
class Condition:
    """What a model answers from: all tokens (method "all"), or what a method keeps."""

    method: str
    retention: float

    @property
    def title(self) -> str:
        """ "all" or "scc 10%"."""
        return "all" if self.method == "all" else f"{self.method} {100 * self.retention:g}%"

    def kept(self, encoded: Encoded) -> Kept:
        """What the model shall answer from."""
        return None if self.method == "all" else METHODS[self.method](encoded, self.retention)

    def reached(self, frames: int) -> bool:
        """Whether the method is defined there for clips of so many frames."""
        return self.method == "all" or METHODS[self.method].reaches(self.retention, frames)


@dataclass(frozen=True, eq=False)
class Found:
    """One condition's answers, their drifts, and seconds by stage as far as they were timed."""

    condition: Condition
    kept: Kept
    texts: Sequence[str]
    drifts: Sequence[Fidelity]
    seconds: dict[str, float]


UNMOVED = Fidelity(0.0, 1.0)
"""Of the answer from all tokens, the reference itself."""


def measure(
    model: VideoLLM,
    clip: Clip,
    wanted: Sequence[Condition],
    *,
    library: Library,
    reader: Reader,
    frames: int,
    rows: int = 0,
) -> Iterator[dict]:
    """A row for every condition that is reached. The clip is encoded once.

    Drift is against the model's own answers from all tokens, which are made again if need be.
    rows: above 0 many answers are written at once, in batches of so many positions, and nothing is
    timed (models/together.py); a model that cannot is asked one thing after the other.
    """
    encoded, reached = encode(model, clip, wanted, library=library, frames=frames)
    asked = [question.text for question in clip.questions]
    if rows and hasattr(model, "follow_all"):
        told = _together(model, encoded, asked, reached, rows)
    else:
        told = _in_turn(model, encoded, asked, reached)
    for found in told:
        said = zip(clip.questions, found.texts, found.drifts, strict=True)
        yield {
            "clip": clip.index,
            "method": found.condition.method,
            "retention": found.condition.retention,
            **_size(model, encoded, found.kept),
            "seconds": {stage: round(value, 3) for stage, value in found.seconds.items()},
            "answers": [_answer(*one, reader) for one in said],
        }


def encode(
    model: VideoLLM, clip: Clip, wanted: Sequence[Condition], *, library: Library, frames: int
) -> tuple[Encoded, list[Condition]]:
    """A clip as all of its conditions need it, and those of them that it reaches."""
    video = as_video(clip.scene, library, frames, f"clip {clip.index}")
    looks = any(c.method != "all" and METHODS[c.method].needs_attention for c in wanted)
    encoded = model.encode(video, attention=looks)
    return encoded, [c for c in wanted if c.reached(len(encoded.tokens))]


def _answer(question: Question, text: str, found: Fidelity, reader: Reader) -> dict:
    text = text.strip()
    row = {"kind": question.kind, "question": question.text, "answer": text}
    row |= {"drift": round(found.drift, 6), "agreement": round(found.agreement, 6)}
    row |= {"truth": question.truth, "score": score(question, text, reader)}
    if question.kind == "list":
        row["overlap"] = overlap(question, text, reader)
    return row


def _size(model: VideoLLM, encoded: Encoded, kept: Kept) -> dict:
    """kept: tokens in the last layer; mean: over the layers; flops: of their prefill."""
    total, layers = encoded.tokens.shape[0] * encoded.tokens.shape[1], model.shape.layers
    counts = visual_counts(kept, total, layers)
    cost = prompt_cost(model.shape, counts)
    return {
        "kept": counts[-1],
        "total": total,
        "mean": round(sum(counts) / layers, 1),
        "flops": cost.flops,
    }


def _references(
    model: VideoLLM, encoded: Encoded, questions: Sequence[str]
) -> tuple[list[Reference], float | None]:
    """The answers from all tokens; seconds to read the first prompt, None if it was not timed."""
    if not hasattr(model, "follow"):
        return [reference(model, encoded, question) for question in questions], None
    prefix, found, first = Prefix(), [], None
    for question in questions:
        text, read = model.follow(encoded, None, question, "", prefix=prefix)
        first = first or read.seconds
        _, along = model.follow(encoded, None, question, text, prefix=prefix)
        found.append(Reference(question, text, along.log_probabilities))
    return found, first


def _in_turn(
    model: VideoLLM, encoded: Encoded, asked: Sequence[str], wanted: Sequence[Condition]
) -> Iterator[Found]:
    """One condition after the other."""
    abouts, first = _references(model, encoded, asked)
    for condition in wanted:
        start = time.perf_counter()
        kept = condition.kept(encoded)
        seconds = {"compress": time.perf_counter() - start}
        if kept is None:
            texts, drifts = [about.text for about in abouts], [UNMOVED] * len(abouts)
        else:
            texts, drifts, first = _told(model, encoded, kept, abouts)
        seconds |= {} if first is None else {"first": seconds["compress"] + first}
        yield Found(condition, kept, texts, drifts, seconds)


def _together(
    model: VideoLLM,
    encoded: Encoded,
    asked: Sequence[str],
    wanted: Sequence[Condition],
    rows: int,
) -> Iterator[Found]:
    """All conditions at once: first the answers from all tokens, then everything along them."""
    plain = [(None, question, "") for question in asked]
    full = [text for text, _ in model.follow_all(encoded, plain, rows=rows)]
    chosen = [condition.kept(encoded) for condition in wanted]
    about = list(zip(asked, full, strict=True))
    every = [(kept, *one) for kept in (None, *filter(None, chosen)) for one in about]
    told = iter(model.follow_all(encoded, every, rows=rows))
    along = [next(told)[1].log_probabilities for _ in asked]
    for condition, kept in zip(wanted, chosen, strict=True):
        texts, drifts = full, [UNMOVED] * len(full)
        if kept is not None:
            mine = [next(told) for _ in asked]
            texts = [text for text, _ in mine]
            scores = [found.log_probabilities for _, found in mine]
            drifts = [drift_of(a, b) for a, b in zip(along, scores, strict=True)]
        yield Found(condition, kept, texts, drifts, {})


def _told(
    model: VideoLLM, encoded: Encoded, kept: Kept, abouts: Sequence[Reference]
) -> tuple[list[str], list[Fidelity], float | None]:
    """Answers, how far they drift, and seconds to read the first prompt if it was timed.

    A model that can `follow` a draft reads a prompt once for the answer and the drift.
    """
    texts, drifts, first, prefix = [], [], None, Prefix()
    for about in abouts:
        if hasattr(model, "follow"):
            args = encoded, kept, about.question, about.text
            text, found = model.follow(*args, prefix=prefix)
            first = first or found.seconds
            drift = drift_of(about.log_probabilities, found.log_probabilities)
        else:
            text = "".join(model.answer(encoded, kept, about.question))
            drift = fidelity(model, encoded, kept, about)
        texts.append(text)
        drifts.append(drift)
    return texts, drifts, first
