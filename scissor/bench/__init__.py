"""Benchmarks by name: python -m scissor bench NAME ...; each lies in a file of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "accuracy": "how many questions about made clips a model answers right, all tokens and few",
    "card": "the tables of the model card: exam, four options, pictures alone, clips of any length",
    "natural": "what a model names in twelve real pictures and three clips of people (packages)",
    "guesses": "how often the word that mini sees in a group of tokens is right, on made clips",
    "speed": "what compression costs beside its floor, a plain and a scipy implementation",
    "live": "frames a second of the Live tab, with Chromium's fake camera",
    "load": "many visitors at once, some bad, some gone half way: answers, memory, the page's life",
    "page": "how quick the page is in a real Chromium: opening, dials, figures, both answers",
}


def main(argv: Sequence[str]) -> int:
    """Run one benchmark with its own arguments; returns its exit code, 2 for an unknown name."""
    if not argv or argv[0] not in COMMANDS:
        lines = "\n".join(f"  {name:10} {what}" for name, what in COMMANDS.items())
        asked = bool(argv) and argv[0] not in ("-h", "--help")
        head = f"unknown benchmark {argv[0]!r}; there are:" if asked else "scissor bench NAME ..."
        print(f"{head}\n{lines}", file=sys.stderr if asked else sys.stdout)
        return 2 if asked or not argv else 0
    return import_module(f"scissor.bench.{argv[0]}").main(list(argv[1:])) or 0
