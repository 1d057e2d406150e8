"""A checkpoint of random weights, marked as what it is."""

import json

from scissor.models import RANDOM


def save_random(lm, tokenizer, folder):
    """Save as transformers does, with the mark by which the page and reports call it random."""
    lm.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {RANDOM: True}))
    return folder
