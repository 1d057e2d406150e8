"""The compressors by name, each a pure function of an encoded clip and a retention.

Knows the names only; each method lies in a file of its own and loads on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from scissor.types import Compression, Encoded

Method = Callable[[Encoded, float], Compression]

_HOME = {
    "scc": "scissor.methods.scc",
    "random": "scissor.methods.random_tokens",
    "frames": "scissor.methods.frames",
    "pool": "scissor.methods.pool",
}


class _Registry(Mapping[str, Method]):
    def __getitem__(self, name: str) -> Method:
        return import_module(_HOME[name]).compress

    def __iter__(self) -> Iterator[str]:
        return iter(_HOME)

    def __len__(self) -> int:
        return len(_HOME)


METHODS: Mapping[str, Method] = _Registry()
"""Name to compress(encoded, retention) -> Compression; KeyError for an unknown name."""
