"""How far an answer drifts when tokens go, without labels; how few tokens keep it.

Knows drift and agreement along the answer that a model gives from all tokens, the curve of both
over retentions, and the search for the smallest retention that keeps the answer. Works for any clip
and any model. Leaves answering and scores to models/, what is kept to methods/.

    about = reference(model, encoded, question)
    for point in curve(model, encoded, ["scc", "fastv"], [0.5, 0.1], about): ...
    found = smallest_retention(model, encoded, METHODS["scc"], question, answer=about.text)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import sqrt

from torch import Tensor

from scissor.cost import prompt_cost, visual_counts
from scissor.methods import METHODS, Method
from scissor.models.contract import Kept, VideoLLM
from scissor.types import Encoded

Stop = Callable[[], bool]

LOWEST = 0.01
NEAR = 1.08  # the search ends when the next retention that changes the answer is within this factor
PROBES = 16  # and at the latest after so many answers


@dataclass(frozen=True, eq=False)
class Reference:
    """What a model answers from all tokens.

    log_probabilities: [A, V] float32, next-token, along the A tokens of `text`, end of turn
    included.
    """

    question: str
    text: str
    log_probabilities: Tensor


@dataclass(frozen=True)
class Fidelity:
    """How near a compressed run stays to the reference.

    drift: mean Kullback-Leibler divergence of the next-token distributions, full against
    compressed, in nats; 0 where nothing changes. agreement: share of the answer's tokens for which
    the likeliest next token stays the same.
    """

    drift: float
    agreement: float


@dataclass(frozen=True)
class Point:
    """A point of a curve. retention: asked for. kept: visual tokens in the decoder's last layer, of
    `total`. flops: of the prefill, of the visual tokens alone (every layer counted as it is).
    """

    method: str
    retention: float
    kept: int
    total: int
    flops: int
    drift: float
    agreement: float


@dataclass(frozen=True)
class Probe:
    """A retention that was tried, the tokens kept, and whether the answer stayed the same."""

    retention: float
    kept: int
    same: bool


@dataclass(frozen=True)
class Smallest:
    """The smallest retention found at which, and at every larger one that was tried, the answer is
    the one from all tokens.

    prefills: prompts that were read to find it, that of the reference among them. stopped: ended by
    `stop`; what was found until then holds.
    """

    method: str
    retention: float
    kept: int
    total: int
    answer: str
    probes: tuple[Probe, ...]
    prefills: int
    stopped: bool

    @property
    def lower(self) -> tuple[Probe, ...]:
        """Smaller retentions that give the same answer too, though one in between does not."""
        return tuple(p for p in self.probes if p.same and p.retention < self.retention)


def reference(
    model: VideoLLM,
    encoded: Encoded,
    question: str,
    *,
    answer: str | None = None,
    max_new_tokens: int = 64,
    stop: Stop | None = None,
) -> Reference:
    """The answer from all tokens and its distributions: two prefills, one if `answer` is known."""
    if answer is None:
        pieces = model.answer(encoded, None, question, max_new_tokens=max_new_tokens, stop=stop)
        answer = "".join(pieces)
    return Reference(question, answer, model.score(encoded, None, question, answer))


def fidelity(model: VideoLLM, encoded: Encoded, kept: Kept, about: Reference) -> Fidelity:
    """Drift and agreement of answering from `kept`, teacher-forced along the reference answer.

    One prefill.
    """
    few = model.score(encoded, kept, about.question, about.text)
    return drift_of(about.log_probabilities, few)


def drift_of(full: Tensor, few: Tensor) -> Fidelity:
    """Of two runs along the same answer: next-token log-probabilities [A, V] each."""
    drift = (full.exp() * (full - few)).nan_to_num(0.0).sum(-1).mean()  # 0 times -inf is 0 here
    agreement = (full.argmax(-1) == few.argmax(-1)).float().mean()
    return Fidelity(max(0.0, float(drift)), float(agreement))


def curve(
    model: VideoLLM,
    encoded: Encoded,
    methods: Iterable[str],
    retentions: Iterable[float],
    about: Reference,
    *,
    stop: Stop | None = None,
) -> Iterator[Point]:
    """Yield a point for every method and retention that it reaches, as soon as it is known.

    One prefill a point, methods in their order; `stop` is asked before each. Raises KeyError for an
    unknown method, ValueError where one needs attention that was not asked for.
    """
    chosen, shares = [METHODS[name] for name in methods], list(retentions)
    frames, cells = encoded.tokens.shape[:2]
    for method in chosen:
        for share in shares:
            if not method.reaches(share, frames):
                continue
            if stop is not None and stop():
                return
            kept = method(encoded, share)
            counts = visual_counts(kept, frames * cells, model.shape.layers)
            found = fidelity(model, encoded, kept, about)
            cost = prompt_cost(model.shape, counts)
            ends = counts[-1], frames * cells, cost.flops
            yield Point(method.name, share, *ends, found.drift, found.agreement)


def smallest_retention(
    model: VideoLLM,
    encoded: Encoded,
    method: Method,
    question: str,
    *,
    answer: str | None = None,
    lowest: float = LOWEST,
    max_new_tokens: int = 64,
    progress: Callable[[Probe], None] | None = None,
    stop: Stop | None = None,
) -> Smallest:
    """Search the smallest retention that keeps the answer: the same greedy text, to the letter.

    Retentions are halved until the answer changes, the last step is bisected, and the gap above
    what was found is looked into, since an answer may change and come back. answer: the model's
    answer from all tokens under the same limit, if it is known. progress: told every probe. `stop`
    ends it with what is known by then.
    """
    search = _Search(model, encoded, method, question, max_new_tokens, progress, stop)
    try:
        search.begin(answer)
        search.descend(max(lowest, method.floor(len(encoded.tokens))))
        search.narrow()
    except _StoppedError:
        search.stopped = True
    return search.result()


class _StoppedError(Exception):
    pass


class _Search:
    """One search. probes: by retention; 1 is known to keep the answer."""

    def __init__(
        self,
        model: VideoLLM,
        encoded: Encoded,
        method: Method,
        question: str,
        limit: int,
        progress: Callable[[Probe], None] | None,
        stop: Stop | None,
    ) -> None:
        self._model, self._encoded, self._method = model, encoded, method
        self._question, self._limit = question, limit
        self._progress, self._stop = progress or (lambda probe: None), stop or (lambda: False)
        self._total = encoded.tokens.shape[0] * encoded.tokens.shape[1]
        self._probes: list[Probe] = []
        self._prefills, self._answer, self.stopped = 0, "", False

    def begin(self, answer: str | None) -> None:
        """Learn the answer from all tokens."""
        if answer is None:
            self._answer = "".join(self._pieces(None))
        else:
            self._answer = answer

    def descend(self, floor: float) -> None:
        """Halve until the answer changes twice, or down to the floor."""
        share, changed = 1.0, 0
        while share > floor and changed < 2:
            share = max(floor, share / 2)
            changed += not self._same(share)

    def narrow(self) -> None:
        """Bisect below the best, then look into the gap above it, until both find nothing."""
        while len(self._probes) < PROBES:
            good = self._good()
            bad = max((p.retention for p in self._probes if p.retention < good), default=good)
            above = [*sorted(p.retention for p in self._probes if p.retention > good), 1.0]
            if good > NEAR * bad and self._count(bad) + 1 < self._count(good):
                self._same(sqrt(good * bad))
            elif good < 1 and above[0] > 1.5 * good:
                self._same(sqrt(good * above[0]))
            else:
                return

    def result(self) -> Smallest:
        """What is known now."""
        good = self._good()
        counts = self._count(good), self._total
        probes = tuple(self._probes)
        told = self._answer, probes, self._prefills, self.stopped
        return Smallest(self._method.name, good, *counts, *told)

    def _good(self) -> float:
        """The smallest retention tried at and above which nothing tried changes the answer."""
        good = 1.0
        for probe in sorted(self._probes, key=lambda probe: -probe.retention):
            if not probe.same:
                break
            good = probe.retention
        return good

    def _count(self, retention: float) -> int:
        found = (p.kept for p in self._probes if p.retention == retention)
        return next(found, self._total)

    def _same(self, retention: float) -> bool:
        """Answer from that share of the tokens; equal counts are answered once."""
        kept = self._method(self._encoded, retention)
        count = visual_counts(kept, self._total, self._model.shape.layers)[-1]
        known = {p.kept: p.same for p in self._probes}
        same = known[count] if count in known else self._answers_alike(kept)
        self._probes.append(Probe(retention, count, same))
        self._progress(self._probes[-1])
        return same

    def _answers_alike(self, kept: Kept) -> bool:
        text = ""
        for piece in self._pieces(kept):
            text += piece
            if not self._answer.startswith(text):
                return False
        return text == self._answer

    def _pieces(self, kept: Kept) -> Iterator[str]:
        """The answer's pieces. Raises _StoppedError as soon as `stop` holds."""
        if self._stop():
            raise _StoppedError
        self._prefills += 1
        limits = {"max_new_tokens": self._limit, "stop": self._stop}
        yield from self._model.answer(self._encoded, kept, self._question, **limits)
        if self._stop():
            raise _StoppedError
