"""Loading while someone watches: progress, a way out, one model at a time, short memory."""

import threading
import weakref

import pytest

from scissor import models
from scissor.models import Cancelled, ModelError
from scissor.ui.errors import sentence
from scissor.ui.fetch import fetched
from scissor.ui.store import Shelf


class Thing:
    """Stands for a model: only whether it is still there is asked."""


def never():
    return False


@pytest.fixture
def loads(monkeypatch):
    """Make load_model run `work(tell)` and return a Thing; the names asked for are kept."""
    asked = []

    def install(work=lambda tell: None):
        def load(name, progress=None):
            asked.append(name)
            work(progress or (lambda *_: None))
            return Thing()

        monkeypatch.setattr(models, "load_model", load)
        return asked

    return install


def test_it_tells_how_far_it_is_and_the_model_is_there_then(loads):
    loads(lambda tell: [tell(k / 4, f"step {k}") for k in range(5)])
    shelf = Shelf()
    steps = list(fetched(shelf, "a", never))
    assert steps == [(k / 4, f"step {k}") for k in range(5)]
    assert shelf.holds("a")
    assert not shelf.lock.locked()


def test_stop_leaves_at_once_and_nothing_stays(loads):
    entered, released = threading.Event(), threading.Event()

    def hang(tell):
        entered.set()
        released.wait(20)  # as while weights are read: nobody can be told there
        tell(0.9, "late")

    loads(hang)
    shelf, stopped = Shelf(), threading.Event()
    steps = fetched(shelf, "a", stopped.is_set)
    threading.Thread(target=lambda: entered.wait(20) and stopped.set()).start()
    with pytest.raises(Cancelled):
        list(steps)
    assert not shelf.holds("a")
    released.set()
    with shelf.lock:  # free again once the thread has ended
        assert not shelf.holds("a")


def test_what_goes_wrong_is_told(loads):
    def refuse(tell):
        raise ModelError("It does not fit.")

    loads(refuse)
    shelf = Shelf()
    with pytest.raises(ModelError, match="does not fit"):
        list(fetched(shelf, "a", never))
    assert not shelf.lock.locked()


def test_the_model_before_has_left_when_the_next_one_comes(loads):
    shelf, held, gone = Shelf(), [], []
    asked = loads(lambda tell: gone.append([ref() is None for ref in held]))
    for name in ("a", "b", "c"):
        list(fetched(shelf, name, never))
        held.append(weakref.ref(shelf.take(name)))
    assert asked == ["a", "b", "c"]
    assert gone == [[], [True], [True, True]]
    assert [shelf.holds(name) for name in asked] == [False, False, True]


def test_short_memory_and_a_stop_are_sentences():
    import torch

    for error in (MemoryError(), torch.OutOfMemoryError("tried to allocate")):
        assert sentence(error) == "Memory ran out. Take fewer frames, or choose a smaller model."
    assert "was stopped" in sentence(Cancelled())


def test_the_downloads_bar_tells_bytes_and_can_be_left():
    from scissor.models.loading import _bar

    told = []
    bar = _bar("a/b", lambda *step: told.append(step))(total=0, unit="B", desc="Reconstructing")
    bar.total = 4 * 10**9
    bar.update(10**9)
    bar.update(3 * 10**9)
    assert [round(fraction, 3) for fraction, _ in told] == [0.175, 0.55]
    assert told[0][1] == "Downloading a/b: 1.00 of 4.00 GB"

    def leave(*_):
        raise Cancelled

    files = _bar("a/b", leave)(total=3)
    files.update(1)  # counts files, not bytes
    left = _bar("a/b", leave)(total=10, unit="B")
    with pytest.raises(Cancelled):
        left.update(5)
