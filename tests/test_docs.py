"""README and model card: tables that were put together from the bench's, whole and not mixed up."""

import re

import pytest

from scissor.methods import METHODS
from scissor.space import ROOT

PAGES = ("README.md", "assets/mini/MODEL_CARD.md")
COMPARED = ["kept", "method", "right [95%]"]


def tables(page):
    """Every Markdown table of a page, as rows of cells."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in re.findall(r"(?:^ *\|.*\n)+", text, re.MULTILINE):
        yield [
            [cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in block.strip().splitlines()
        ]


@pytest.mark.parametrize("page", PAGES)
def test_every_row_has_the_cells_of_its_head(page):
    found = list(tables(page))
    assert found
    for head, *rows in found:
        for row in rows:
            assert len(row) == len(head), (head, row)


def test_every_method_is_compared_once_at_every_retention():
    compared = [rows for head, _, *rows in tables("README.md") if head[:3] == COMPARED]
    told = [(row[0], row[1]) for rows in compared for row in rows]
    assert len(set(told)) == len(told)
    titles = [method.title for method in METHODS.values()]
    shares = list(dict.fromkeys(kept for kept, title in told if title in titles))
    assert len(shares) >= 3
    for share in shares:
        assert sorted(title for kept, title in told if kept == share) == sorted(titles)
