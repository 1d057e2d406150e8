"""What may not even reach the page: bodies that are too large, and files named by address.

Gradio bounds single uploaded files; it bounds neither other bodies nor a request's sum, and fetches
a file that a request names by its web address, however large. Knows HTTP and Gradio's file objects.
Leaves everything else to the page.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scissor.video import Limits

SMALL = 2 * 2**20  # bytes of a body that is no upload; a camera's frame is the largest of them
LARGE = Limits().bytes + 2**20  # of an upload, with the form around the file
TOO_LARGE = "This is larger than the page takes; send a shorter or smaller clip."
BY_ADDRESS = "The page opens no web addresses; upload the file itself."
UNREADABLE = "This request cannot be read."


class _TooLargeError(Exception):
    """More bytes came than the limit."""


class Guard:
    """An ASGI middleware around the page's application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for a bad request; hand a good one on as it came."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        upload = scope["path"].rstrip("/").endswith("/upload")
        receive = counted(receive, LARGE if upload else SMALL)
        try:
            if not upload:
                body = await _whole(receive)
                why = refusal(body)
                if why:
                    await PlainTextResponse(why, 400)(scope, receive, send)
                    return
                receive = _again(body, receive)
            await self.app(scope, receive, send)
        except _TooLargeError:
            await PlainTextResponse(TOO_LARGE, 413)(scope, receive, send)


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


def counted(receive: Receive, limit: int) -> Receive:
    """`receive`, raising once more than `limit` bytes have come."""
    taken = 0

    async def counting() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise _TooLargeError
        return message

    return counting


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body in one piece, then whatever comes after it."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay
