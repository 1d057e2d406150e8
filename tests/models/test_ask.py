from importlib import import_module

import numpy as np
import pytest
import torch

from scissor.models import ask, ask_both
from scissor.types import Compression, Encoded, InDecoder


class World:
    """A clock that moves only where a step of the work says so."""

    now = 0.0


@pytest.fixture
def world(monkeypatch):
    world = World()
    monkeypatch.setattr(import_module("scissor.models.ask"), "perf_counter", lambda: world.now)
    return world


class Model:
    """Prefill takes a second a kept token, every piece half a second."""

    name = "stand-in"
    max_frames = 8

    def __init__(self, world):
        self.world = world
        self.calls = []

    def answer(self, encoded, kept, question, *, max_new_tokens, stop=None):
        count = kept.kept if isinstance(kept, Compression) else encoded.tokens[..., 0].numel()
        self.calls.append((count, max_new_tokens))
        self.world.now += count
        for piece in ["A", " globe", "."][:max_new_tokens]:
            if stop is not None and stop():
                return
            yield piece
            self.world.now += 0.5

    def answer_ids(self, answer):
        return torch.arange(len(answer) + 1)


@pytest.fixture
def encoded():
    return Encoded(torch.randn(2, 5, 4), (1, 5), np.arange(2), "stand-in", "k")


def compressing(world, count=3, seconds=2.0):
    def compress():
        world.now += seconds
        share = torch.zeros(2, 5, dtype=torch.int64)
        hub = torch.zeros(count, 2, dtype=torch.int64)
        tokens, counts = torch.randn(count, 4), (10, 7, count)
        return Compression("test", tokens, (1, 5), share, share, share, hub, hub, counts)

    return compress


def test_the_clock_counts_compressing_prefill_and_tokens_but_not_the_caller(world, encoded):
    answers = []
    for answer in ask(Model(world), encoded, compressing(world), "What?"):
        answers.append(answer)
        world.now += 100
    assert [a.text for a in answers] == ["", "A", "A globe", "A globe.", "A globe."]
    assert [a.seconds_first for a in answers] == [None, 5, 5, 5, 5]
    assert [a.seconds_total for a in answers] == [2, 5, 5.5, 6, 6.5]
    assert {a.seconds_compress for a in answers} == {2}
    assert [a.done for a in answers] == [False] * 4 + [True]
    assert [a.written for a in answers] == [0] * 4 + [len("A globe.") + 1]
    assert (answers[0].kept, answers[0].total) == (3, 10)
    assert answers[0].compression.counts == (10, 7, 3)
    assert not answers[-1].stopped


def test_all_tokens_need_no_compressing(world, encoded):
    last = list(ask(Model(world), encoded, None, "What?"))[-1]
    assert (last.kept, last.total, last.seconds_compress, last.seconds_first) == (10, 10, 0, 10)
    assert last.compression is None


def test_pruning_inside_the_decoder_counts_its_target(world, encoded):
    last = list(ask(Model(world), encoded, lambda: InDecoder(2, 0.25), "What?"))[-1]
    assert (last.kept, last.total) == (3, 10)


def test_a_stopped_answer_keeps_its_text_and_says_so(world, encoded):
    asked = iter([False, False, True, True])
    last = list(ask(Model(world), encoded, None, "What?", stop=lambda: next(asked)))[-1]
    assert (last.text, last.done, last.stopped) == ("A globe", True, True)


def test_an_answer_without_text_has_no_first_word(world, encoded):
    last = list(ask(Model(world), encoded, None, "What?", max_new_tokens=0))[-1]
    assert (last.text, last.seconds_first, last.done) == ("", None, True)


def test_both_answers_come_one_after_the_other_with_one_limit(world, encoded):
    model = Model(world)
    both = list(ask_both(model, encoded, compressing(world), "What?", max_new_tokens=2))
    sides = [side for side, _ in both]
    assert sides == ["kept"] * 4 + ["all"] * 4
    assert model.calls == [(3, 1), (3, 2), (10, 2)]  # warm-up, few, all
    first = {side: answer.seconds_first for side, answer in both if answer.done}
    assert first == {"kept": 5, "all": 10}


def test_both_without_warm_up_and_stopped_between(world, encoded):
    model = Model(world)
    stopping = []
    for _, answer in ask_both(
        model, encoded, compressing(world), "?", stop=lambda: bool(stopping), warm_up=False
    ):
        if answer.text:
            stopping.append(True)
    assert model.calls == [(3, 64)]
    assert answer.stopped


def test_tokens_chosen_inside_become_a_compression_before_the_first_text(world, encoded):
    class Inside(Model):
        def answer(self, encoded, kept, question, **limits):
            kept.chosen(torch.tensor([1, 4, 7]))
            yield from super().answer(encoded, kept, question, **limits)

    how = InDecoder(2, 0.3)
    answers = list(ask(Inside(world), encoded, lambda: how, "What?"))
    assert answers[0].compression == how
    for answer in answers[1:]:
        assert answer.compression is answers[1].compression
    found = answers[1].compression
    assert found.hub.tolist() == [[0, 1], [0, 4], [1, 2]]
    assert (found.method, found.after, found.counts) == ("fastv", 2, (10, 3, 3))
    assert {answer.kept for answer in answers} == {3}
