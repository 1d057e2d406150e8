"""ZeroGPU: functions that touch a large model run in the process that holds the GPU.

Knows Hugging Face's `spaces` package, where it is there: its GPU mark runs a function in a forked
process, so arguments and results cross it and must be CPU data, no lock and no callable may, and an
error arrives as the name of its class. Elsewhere every function stays what it is. Leaves what runs
there to desk.py; the embedded model runs on the CPU and spends nobody's GPU minutes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

SECONDS = 60  # that one encoding or both answers may take
ZERO = "SPACES_ZERO_GPU"  # the variable that tells a ZeroGPU Space


@dataclass(frozen=True)
class _Raised:
    """An error on its way back: returned, because only Gradio's own keep their sentence."""

    error: Exception


def zero_gpu() -> bool:
    """Whether this is a ZeroGPU Space with the `spaces` package."""
    return os.environ.get(ZERO, "").lower() in ("1", "t", "true") and _spaces() is not None


def on_gpu(function: Callable[..., Any], seconds: int = SECONDS) -> Callable[..., Any]:
    """`function`, or a generator function, marked with `spaces.GPU` where that package is there.

    The marked one takes and gives what can be pickled and raises what `function` raises.
    """
    package = _spaces()
    if package is None:
        return function
    mark = package.GPU(duration=seconds)
    return _generator(function, mark) if isgeneratorfunction(function) else _plain(function, mark)


def stopped_by(values: Iterator[Any], stop: Callable[[], bool]) -> Iterator[Any]:
    """The values until `stop` holds: for work elsewhere, which cannot ask it itself."""
    try:
        for value in values:
            if stop():
                return
            yield value
    finally:
        values.close()


def _plain(function: Callable[..., Any], mark: Callable) -> Callable[..., Any]:
    @mark
    @wraps(function)
    def there(*args: Any) -> Any:
        try:
            return function(*args)
        except Exception as error:
            return _Raised(error)

    @wraps(function)
    def here(*args: Any) -> Any:
        return _opened(there(*args))

    return here


def _generator(function: Callable[..., Iterator[Any]], mark: Callable) -> Callable[..., Any]:
    @mark
    @wraps(function)
    def there(*args: Any) -> Iterator[Any]:
        try:
            yield from function(*args)
        except Exception as error:
            yield _Raised(error)

    @wraps(function)
    def here(*args: Any) -> Iterator[Any]:
        for value in there(*args):
            yield _opened(value)

    return here


def _opened(value: Any) -> Any:
    if isinstance(value, _Raised):
        raise value.error
    return value


def _spaces() -> Any | None:
    try:
        import spaces
    except ImportError:
        return None
    return spaces
