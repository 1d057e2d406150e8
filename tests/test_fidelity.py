"""Drift is a divergence, agreement a share; the search finds where an answer changes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tinymini import tiny_mini

from scissor.cost import Shape
from scissor.fidelity import NEAR, PROBES, curve, fidelity, reference, smallest_retention
from scissor.methods import METHODS
from scissor.models.mini import Mini
from scissor.types import Compression, Encoded, InDecoder, Video

QUESTION = "What is there?"


@pytest.fixture(scope="module")
def model():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # on tensors this small a second thread only waits for the first
    yield Mini(tiny_mini(), "tiny", torch.device("cpu"), torch.float32)
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def encoded(model):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    return model.encode(Video(pixels, np.arange(4) / 2, 2, "noise", "noise"), attention=True)


@pytest.fixture(scope="module")
def about(model, encoded):
    return reference(model, encoded, QUESTION, max_new_tokens=6)


def test_nothing_removed_does_not_drift(model, encoded, about):
    assert about.text == "".join(model.answer(encoded, None, QUESTION, max_new_tokens=6))
    same = METHODS["scc"](encoded, 1)
    for kept in (None, same, InDecoder(2, 1.0)):
        found = fidelity(model, encoded, kept, about)
        assert found.drift < 1e-5
        assert found.agreement == 1


def test_drift_is_the_mean_divergence_along_the_reference(model, encoded, about):
    kept = METHODS["random"](encoded, 0.05)
    few = model.score(encoded, kept, QUESTION, about.text)
    full = about.log_probabilities
    want = torch.nn.functional.kl_div(few, full, reduction="none", log_target=True).sum(1).mean()
    found = fidelity(model, encoded, kept, about)
    assert found.drift == pytest.approx(float(want), rel=1e-4)
    assert found.drift > 1e-3
    same = [a == b for a, b in zip(few.argmax(1), full.argmax(1), strict=True)]
    assert found.agreement == pytest.approx(sum(same) / len(same))


def test_a_known_answer_is_not_asked_for_again(model, encoded, about, monkeypatch):
    monkeypatch.setattr(Mini, "answer", None)
    again = reference(model, encoded, QUESTION, answer=about.text)
    assert torch.equal(again.log_probabilities, about.log_probabilities)


def test_the_curve_has_a_point_for_all_that_is_reached(model, encoded, about):
    shares = [1, 0.3, 0.1]
    points = list(curve(model, encoded, METHODS, shares, about))
    want = [(m, r) for m in METHODS for r in shares if METHODS[m].reaches(r, 4)]
    assert [(p.method, p.retention) for p in points] == want
    assert ("dycoke", 0.1) not in want
    for point in points:
        assert point.drift < 1e-5 or point.kept < point.total
        assert 0 <= point.agreement <= 1
    found = {(p.method, p.retention): p for p in points}
    assert found["fastv", 0.1].kept == found["scc", 0.1].kept == 7
    assert found["scc", 0.1].flops < found["fastv", 0.1].flops < found["fastv", 1].flops


def test_the_curve_stops_where_it_is_told(model, encoded, about):
    asked = iter([False, False, True])
    points = list(curve(model, encoded, ["random"], [1, 0.5, 0.1], about, stop=lambda: next(asked)))
    assert [p.retention for p in points] == [1, 0.5]


class Stand:
    """Its answer is the whole one where `keeps` says so of the number of tokens."""

    name, shape = "stand", Shape(4, 8, 8, 2, 2, 10)

    def __init__(self, keeps):
        self.keeps, self.prefills, self.pieces = keeps, 0, 0

    def answer(self, encoded, kept, question, *, max_new_tokens=64, stop=None):
        self.prefills += 1
        count = kept.kept if isinstance(kept, Compression) else 400
        for piece in ["a ", "dog", " runs"] if self.keeps(count) else ["a ", "cat", " sits"]:
            self.pieces += 1
            yield piece


CLIP = Encoded(
    torch.randn(4, 100, 3, generator=torch.Generator().manual_seed(0)),
    (10, 10),
    np.arange(4),
    "stand",
    "k",
)


@settings(max_examples=60)
@given(st.integers(1, 401))
def test_the_search_finds_the_count_below_which_the_answer_changes(least):
    model = Stand(lambda count: count >= least or count == 400)
    found = smallest_retention(model, CLIP, METHODS["random"], QUESTION)
    assert found.answer == "a dog runs"
    assert found.prefills == model.prefills <= PROBES + 1
    assert found.kept >= min(least, 400)
    assert found.kept <= max(NEAR * least + 1, 4)  # 4 tokens are 1%, the lowest tried
    assert not found.lower
    assert not found.stopped


@settings(max_examples=60)
@given(st.sets(st.integers(1, 399), max_size=200))
def test_whatever_was_tried_at_or_above_the_result_keeps_the_answer(changed):
    found = smallest_retention(
        Stand(lambda count: count not in changed), CLIP, METHODS["random"], QUESTION
    )
    for probe in found.probes:
        assert probe.same == (probe.kept not in changed)
        assert probe.same or probe.retention < found.retention
    assert len(found.probes) <= PROBES


def test_an_answer_that_comes_back_is_told_apart():
    model = Stand(lambda count: count >= 200 or count <= 60)
    found = smallest_retention(model, CLIP, METHODS["random"], QUESTION)
    assert 200 <= found.kept <= 216
    assert [probe.kept for probe in found.lower] == [50, 25, 13, 7, 4]


def test_a_wrong_answer_is_left_at_its_first_difference():
    model = Stand(lambda count: count == 400)
    found = smallest_retention(model, CLIP, METHODS["random"], QUESTION, answer="a dog runs")
    assert found.retention == 1
    assert model.pieces == 2 * model.prefills == 2 * found.prefills


def test_equal_counts_are_answered_once():
    model = Stand(lambda count: True)
    found = smallest_retention(model, CLIP, METHODS["frames"], QUESTION)
    counts = [probe.kept for probe in found.probes]
    assert min(counts) == 100
    assert found.prefills == 1 + len(set(counts)) < 1 + len(counts)


def test_a_search_ends_at_the_floor_of_its_method():
    found = smallest_retention(Stand(lambda count: True), CLIP, METHODS["dycoke"], QUESTION)
    assert found.retention == 0.25
    assert found.kept == 100


def test_a_search_tells_its_progress_and_can_be_stopped():
    told = []
    found = smallest_retention(
        Stand(lambda count: count >= 90),
        CLIP,
        METHODS["random"],
        QUESTION,
        progress=told.append,
        stop=lambda: len(told) == 2,
    )
    assert found.stopped
    assert [probe.retention for probe in told] == [0.5, 0.25]
    assert list(found.probes) == told
    assert found.retention == 0.25


def test_a_real_model_keeps_its_answer_where_the_search_says_so(model, encoded):
    for name in ("scc", "fastv"):
        found = smallest_retention(model, encoded, METHODS[name], QUESTION, max_new_tokens=4)
        kept = METHODS[name](encoded, found.retention)
        text = "".join(model.answer(encoded, kept, QUESTION, max_new_tokens=4))
        assert text == found.answer
