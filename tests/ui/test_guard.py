"""What does not reach the page: large bodies and files named by their web address."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.formparsers import MultiPartException

from scissor.ui import guard
from scissor.ui.guard import BY_ADDRESS, TOO_LARGE, Guard, refusal

FILE = {"path": "http://127.0.0.1:9/a.mp4", "meta": {"_type": "gradio.FileData"}}


def post(*pieces, path="/gradio_api/queue/join", method="POST", more=False):
    """(status, body, what the page got) of a request whose body comes in pieces."""
    sent, got = [], []
    left = [
        {"type": "http.request", "body": piece, "more_body": more or k < len(pieces) - 1}
        for k, piece in enumerate(pieces)
    ]

    async def receive():
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    async def page(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        got.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"good"})

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    # in a thread: a browser that an earlier test left open runs a loop in this one
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, Guard(page)(scope, receive, send)).result()
    return sent[0]["status"], sent[1]["body"].decode(), (got or [None])[0]


@pytest.mark.parametrize("pieces", [(b"",), (b'{"data": [1]}',), (b'{"data"', b": ", b"[]}")])
def test_a_good_request_comes_through_as_it_was(pieces):
    assert post(*pieces) == (200, "good", b"".join(pieces))


def test_a_body_above_the_limit_stops_where_it_passes_it(monkeypatch):
    monkeypatch.setattr(guard, "SMALL", 100)
    assert post(b"x" * 60, b"x" * 40)[0] == 200
    assert post(b"x" * 60, b"x" * 41) == (413, TOO_LARGE, None)


def test_an_upload_above_the_limit_stops_where_it_passes_it(monkeypatch):
    monkeypatch.setattr(guard, "LARGE", 1000)
    upload = "/gradio_api/upload"
    assert post(b"x" * 900, b"x" * 100, path=upload)[0] == 200
    with pytest.raises(MultiPartException, match="maximum allowed size"):
        post(b"x" * 900, b"x" * 101, path=upload)


def test_a_body_that_breaks_off_reaches_nobody():
    assert post(b"{", more=True)[2] is None
    with pytest.raises(MultiPartException, match="broke off"):
        post(b"x", path="/gradio_api/upload", more=True)


@pytest.mark.parametrize(
    "data",
    [
        {"data": [FILE]},
        {"data": [{"deep": [[{"er": FILE}]]}]},
        [FILE | {"path": " HTTPS://example.org/a.mp4"}],
        {"data": [{"path": "http:/odd"}]},
    ],
)
def test_a_file_by_its_address_is_refused(data):
    assert post(json.dumps(data).encode()) == (400, BY_ADDRESS, None)


def test_text_that_speaks_of_addresses_is_welcome():
    body = json.dumps({"data": ["what is http://example.org?", {"path": "/tmp/a"}]}).encode()
    assert post(body) == (200, "good", body)


def test_nesting_without_end_is_refused():
    assert refusal(b"[" * 100_000) is not None


def test_what_has_no_body_is_left_alone():
    assert post(b"", method="GET")[0] == 200
