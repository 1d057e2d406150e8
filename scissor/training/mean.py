"""The mean of two or more models' weights: `python -m scissor.training.mean OUT MODEL MODEL ...`.

Knows that models which went on from the same weights can be averaged: the mean often does better
than each of them (model soups, arXiv 2203.05482). Leaves how they are stored to mini/loading.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from scissor.mini import Mini, load, save


@torch.no_grad()
def mean(models: Sequence[Mini]) -> Mini:
    """The last of the models, with the mean of all their weights.

    Raises ValueError where they do not know the same names, RuntimeError where a weight's shape
    differs.
    """
    if len({tuple(model.class_names) for model in models}) > 1:
        raise ValueError("the models do not know the same names")
    for weights in zip(*(model.parameters() for model in models), strict=True):
        weights[-1].copy_(torch.stack(weights).mean(0))
    return models[-1]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m scissor.training.mean", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("out", type=Path, help="where the mean is written")
    parser.add_argument(
        "models", type=Path, nargs="+", help="folders; the last one's settings stay"
    )
    args = parser.parse_args()
    save(mean([load(folder) for folder in args.models]), args.out)


if __name__ == "__main__":
    main()
