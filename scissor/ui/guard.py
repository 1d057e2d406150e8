"""What may not even reach the page: bodies that are too large, and files named by address.

Gradio bounds single uploaded files; it bounds neither other bodies nor a request's sum, keeps what
came of an upload that breaks off, and fetches a file that a request names by its web address.
Knows HTTP and Gradio's file objects. Leaves everything else to the page.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scissor.video import Limits

SMALL = 2 * 2**20  # bytes of a body that is no upload; a camera's frame is the largest of them
LARGE = Limits().bytes + 2**20  # of an upload, with the form around the file
TOO_LARGE = "This is larger than the page takes; send a shorter or smaller clip."
BY_ADDRESS = "The page opens no web addresses; upload the file itself."
UNREADABLE = "This request cannot be read."


class Guard:
    """An ASGI middleware around the page's application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for a bad request; hand a good one on as it came."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
        elif scope["path"].rstrip("/").endswith("/upload"):
            await self.app(scope, _whole_or_none(receive), send)
        else:
            body = await _body(receive)
            if body is None:
                await PlainTextResponse(TOO_LARGE, 413)(scope, receive, send)
            elif why := refusal(body):
                await PlainTextResponse(why, 400)(scope, receive, send)
            else:
                await self.app(scope, _again(body, receive), send)


def refusal(body: bytes) -> str | None:
    """Why a body may not pass, None if it may: it names a file by its web address."""
    try:
        left = [json.loads(body)]
    except ValueError:
        return None  # a form, or nothing that Gradio would read
    except RecursionError:
        return UNREADABLE
    while left:
        here = left.pop()
        if isinstance(here, dict):
            if _address(here.get("path")):
                return BY_ADDRESS
            left.extend(here.values())
        elif isinstance(here, list):
            left.extend(here)
    return None


def _address(path: Any) -> bool:
    return isinstance(path, str) and path.strip().lower().startswith(("http:", "https:"))


def _whole_or_none(receive: Receive) -> Receive:
    """An upload that grows too large or breaks off, told so that Gradio deletes its part."""
    taken, whole = 0, False

    async def counting() -> Message:
        nonlocal taken, whole
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGE:
            raise MultiPartException(f"Above the maximum allowed size: {TOO_LARGE}")
        if message["type"] == "http.disconnect" and not whole:
            raise MultiPartException("The upload broke off.")
        whole = whole or not message.get("more_body")
        return message

    return counting


async def _body(receive: Receive) -> bytes | None:
    """The body in one piece; None above SMALL. Whoever leaves on the way gets no answer anyhow."""
    parts, taken, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        taken += len(parts[-1])
        if taken > SMALL or message["type"] == "http.disconnect":
            return None
        more = message.get("more_body")
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body in one piece, then whatever comes after it."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay
