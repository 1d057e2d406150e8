"""A chat turn as a checkpoint writes it.

Knows templates and how a visitor's words are kept from meaning more than words. Leaves what stands
in a clip's place to the families.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scissor.models.adapter import Family


def chat_turn(family: Family, tokenizer: Any, template: str | None, question: str) -> str:
    """The text of one turn, family.video standing for the clip."""
    for token in tokenizer.added_tokens_decoder.values():
        if token.special or token.content in (family.video, family.slot):
            # a visitor's words must not end the turn or stand for the video
            question = question.replace(token.content, f"{token.content[0]} {token.content[1:]}")
    if template is not None:
        content = [{"type": "video"}, {"type": "text", "text": question}]
        written = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=template,
            add_generation_prompt=True,
            tokenize=False,
        )
        if family.video in written:
            return written
    return family.chat.format(question=question)


def own_template(folder: Path, tokenizer: Any) -> str | None:
    """The checkpoint's own chat template: the tokenizer's, or one of the processor's files."""
    found = getattr(tokenizer, "chat_template", None)
    for name in ("chat_template.json", "processor_config.json"):
        if not found and (folder / name).is_file():
            found = json.loads((folder / name).read_text(encoding="utf-8")).get("chat_template")
    return found if isinstance(found, str) else None
