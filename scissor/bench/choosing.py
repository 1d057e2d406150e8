"""Which of four options a model takes for the likeliest answer: a row for each condition.

Knows how an option is weighed. Leaves the options to scenes/choices.py, where rows are kept to
accuracy.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from scissor.bench.measure import Condition, encode
from scissor.cost import visual_counts
from scissor.models.contract import Kept, VideoLLM
from scissor.models.drafts import Prefix
from scissor.scenes import Clip, Library, Reader
from scissor.scenes.choices import Choice, choices
from scissor.types import Encoded


def choose(
    model: VideoLLM,
    clip: Clip,
    wanted: Sequence[Condition],
    *,
    library: Library,
    reader: Reader,
    frames: int,
) -> Iterator[dict]:
    """A row for every condition that is reached, as measure.measure gives it; the clip is encoded
    once, or not at all where none of its questions has options.
    """
    asked = choices(clip, library)
    if not asked:
        return
    encoded, reached = encode(model, clip, wanted, library=library, frames=frames)
    total = encoded.tokens.shape[0] * encoded.tokens.shape[1]
    for condition in reached:
        kept, prefix = condition.kept(encoded), Prefix()
        yield {
            "clip": clip.index,
            "method": condition.method,
            "retention": condition.retention,
            "kept": visual_counts(kept, total, model.shape.layers)[-1],
            "total": total,
            "answers": [_answer(model, encoded, kept, choice, prefix) for choice in asked],
        }


def _answer(model: VideoLLM, encoded: Encoded, kept: Kept, choice: Choice, prefix: Prefix) -> dict:
    question, options = choice.question, choice.options
    weights = [weigh(model, encoded, kept, question.text, o, prefix=prefix) for o in options]
    taken = max(range(len(options)), key=weights.__getitem__)
    return {
        "kind": question.kind,
        "question": question.text,
        "options": list(options),
        "weights": [round(weight, 4) for weight in weights],
        "answer": options[taken],
        "truth": options[choice.right],
        "score": float(taken == choice.right),
    }


def weigh(
    model: VideoLLM,
    encoded: Encoded,
    kept: Kept,
    question: str,
    option: str,
    *,
    prefix: Prefix | None = None,
) -> float:
    """The log-probability that a model says exactly this, the end of its answer included.

    The sum over the option's tokens and not their mean: with the end it is the probability of a
    whole answer, so nothing gains by being the beginning of another, and a long name gains nothing
    by tokens that follow from its first. prefix: shares what is read of the prompt among options
    and questions, where a model can `follow`.
    """
    ids = model.answer_ids(option)
    if hasattr(model, "follow"):
        args = encoded, kept, question, option
        along = model.follow(*args, max_new_tokens=1, prefix=prefix)[1].log_probabilities
    else:
        along = model.score(encoded, kept, question, option)
    return _along(along, ids)


def _along(log_probabilities: Tensor, ids: Tensor) -> float:
    return float(log_probabilities.gather(-1, ids[:, None].to(log_probabilities.device)).sum())
