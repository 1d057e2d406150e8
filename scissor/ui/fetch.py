"""Loading a model while someone watches: how far it is, and a way out.

Knows threads and how a load is left. Leaves which model, and holding it, to store.Shelf.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from scissor.models import Cancelled
from scissor.ui.store import Shelf

LOOK = 0.2  # seconds between two looks at whether to stop


def fetched(shelf: Shelf, name: str, stop: Callable[[], bool]) -> Iterator[tuple[float, str]]:
    """Put a model on the shelf; yield how far that is: (a fraction in [0, 1], what goes on).

    Raises what loading raises, and Cancelled as soon as `stop` holds. Weights that are being read
    then are read to their end, in a thread of their own, and let go.
    """
    steps: queue.SimpleQueue[tuple[float, str] | BaseException | None] = queue.SimpleQueue()

    def tell(fraction: float, phrase: str) -> None:
        if stop():
            raise Cancelled
        steps.put((fraction, phrase))

    def work() -> None:
        try:
            with shelf.lock:
                shelf.take(name, tell)
        except BaseException as error:
            steps.put(error)
        else:
            steps.put(None)

    threading.Thread(target=work, daemon=True, name=f"loading {name}").start()
    while True:
        try:
            step = steps.get(timeout=LOOK)
        except queue.Empty:
            if stop():
                raise Cancelled from None
            continue
        if step is None:
            return
        if isinstance(step, BaseException):
            raise step
        yield step
