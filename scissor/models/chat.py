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
    written = _written(tokenizer, template, question) if template else ""
    return written if family.video in written else family.chat.format(question=question)


def own_template(folder: Path, tokenizer: Any) -> str | None:
    """The checkpoint's own chat template: one of its processor's files, else the tokenizer's."""
    for name in ("chat_template.json", "processor_config.json"):
        if (folder / name).is_file():
            found = json.loads((folder / name).read_text(encoding="utf-8")).get("chat_template")
            if isinstance(found, str):
                return found
    found = getattr(tokenizer, "chat_template", None)
    return found if isinstance(found, str) else None


def _written(tokenizer: Any, template: str, question: str) -> str:
    """The turn by that template; empty for one that knows words alone and fails on a video."""
    from jinja2 import TemplateError

    content = [{"type": "video"}, {"type": "text", "text": question}]
    try:
        return tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=template,
            add_generation_prompt=True,
            tokenize=False,
        )
    except (TemplateError, TypeError, ValueError):
        return ""
