"""A function that reports through a callback, as an iterator.

Knows the thread in between. Leaves what is reported to the function.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any


def relayed(work: Callable[[Callable[[Any], None], Callable[[], bool]], Any]) -> Iterator[Any]:
    """Yield what work(tell, ended) tells, as it tells it, then what it returns.

    An error that it raises is raised here. ended() turns true where nobody takes any more; the
    iterator closes only when the work has.
    """
    told: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    ended = threading.Event()

    def run() -> None:
        try:
            told.put(("last", work(lambda news: told.put(("news", news)), ended.is_set)))
        except BaseException as error:
            told.put(("error", error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while True:
            kind, news = told.get()
            if kind == "error":
                raise news
            yield news
            if kind == "last":
                return
    finally:
        ended.set()
        thread.join()
