"""The GPU mark, with a stand-in for `spaces` that forks and pickles as the real one does."""

import multiprocessing
import os
import pickle
import sys
import threading
from functools import wraps
from inspect import isgeneratorfunction
from types import SimpleNamespace

import pytest
import torch
from ui.conftest import CountingModel

from scissor.ui.desk import Desk, last
from scissor.ui.errors import RequestError
from scissor.ui.gpu import on_gpu, stopped_by, zero_gpu
from scissor.ui.redraw import Dial
from scissor.ui.remote import GpuShelf

FORK = multiprocessing.get_context("fork") if hasattr(os, "fork") else None
forks = pytest.mark.skipif(FORK is None, reason="ZeroGPU forks")


def across(task, args):
    """Every value of `task` in a forked process; arguments and values cross as pickles."""
    ours, theirs = FORK.Pipe()
    sent = pickle.dumps(args)

    def child():
        made = task(*pickle.loads(sent))
        for value in made if isgeneratorfunction(task) else [made]:
            theirs.send_bytes(pickle.dumps(value))
        theirs.send_bytes(b"")

    process = FORK.Process(target=child, daemon=True)
    process.start()
    try:
        while content := ours.recv_bytes():
            yield pickle.loads(content)
    finally:
        process.terminate()
        process.join()


def gpu(duration):
    def mark(task):
        @wraps(task)
        def one(*args):
            (value,) = across(task, args)
            return value

        @wraps(task)
        def many(*args):
            yield from across(task, args)

        return many if isgeneratorfunction(task) else one

    gpu.durations.append(duration)
    return mark


gpu.durations = []


@pytest.fixture
def spaces(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")


def pid(offset):
    if offset < 0:
        raise RequestError("Choose another clip.")
    return os.getpid() + offset


def counting(count):
    for k in range(count):
        yield os.getpid(), k
    if count > 3:
        raise RequestError("That was too many; take fewer.")


def test_without_the_package_a_function_stays_what_it_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert on_gpu(pid) is pid
    assert not zero_gpu()


@forks
def test_with_it_they_run_elsewhere_and_come_back(spaces):
    assert zero_gpu()
    assert on_gpu(pid)(0) != os.getpid()
    where, numbers = zip(*on_gpu(counting, seconds=30)(3), strict=True)
    assert numbers == (0, 1, 2)
    assert set(where) != {os.getpid()}
    assert gpu.durations[-1] == 30


@forks
def test_errors_keep_their_sentence(spaces):
    with pytest.raises(RequestError, match="Choose another clip"):
        on_gpu(pid)(-1)
    values = on_gpu(counting)(4)
    assert len([next(values) for _ in range(4)]) == 4
    with pytest.raises(RequestError, match="take fewer"):
        next(values)


@forks
def test_whoever_stops_ends_the_work(spaces):
    asked = iter((False, False, True))
    values = stopped_by(on_gpu(counting)(3), lambda: next(asked))
    assert [number for _, number in values] == [0, 1]
    assert next(asked, "asked no more") == "asked no more"


class Books:
    """A shelf with one large model, which remembers where it worked."""

    def __init__(self, model):
        self.model, self.lock = model, threading.Lock()

    def holds(self, name):
        return True

    def take(self, name, *_):
        torch.set_num_threads(1)  # a forked process has no other
        return self.model


@forks
@pytest.mark.filterwarnings("ignore")
def test_large_models_work_where_the_gpu_is_and_mini_stays(spaces, monkeypatch, clip):
    model, plain = CountingModel(), CountingModel()
    model.name = plain.name = "llava-onevision-0.5b"
    asked = []
    monkeypatch.setattr("scissor.ui.desk.catalog.why_not", lambda entry: None)
    monkeypatch.setattr("scissor.models.load_model", lambda *a, **k: asked.append((a, k)) or plain)
    gpu_shelf = GpuShelf(Books(model))
    far, near = Desk(shelf=gpu_shelf), Desk(shelf=Books(plain))
    dial, told = Dial("retention", 0.2), []
    for desk in (far, near):
        handle, opened = desk.open(clip, model.name, 4)
        assert desk.store.get(handle) is opened
        told.append((opened, last(desk.answers(opened, dial, "How many?", lambda: False))))
    (one, said), (other, expected) = told
    assert torch.equal(one.encoded.tokens, other.encoded.tokens)
    for side in ("all", "kept"):
        assert said[side]["text"] == expected[side]["text"]
        assert said[side]["tokens"] == expected[side]["tokens"]
    assert (model.encodings, plain.encodings) == (0, 1)  # it worked in the other process

    *_, cards = far.answers(one, dial, "How many?", lambda: True)
    assert cards["all"]["state"] == "waiting"
    assert not far.shelf.lock.locked()
    assert gpu_shelf.holds(model.name)
    assert not gpu_shelf.holds("mini")
    assert gpu_shelf.take("mini") is gpu_shelf.take("mini") is plain
    assert gpu_shelf.holds("mini")
    assert [name for (name,), _ in asked] == [model.name, "mini"]
    assert {how["device"] for _, how in asked} == {"cpu"}


def test_the_package_alone_is_no_zero_gpu(spaces, monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU")
    assert not zero_gpu()
