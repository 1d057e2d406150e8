"""The running page against visitors who mean it no good."""

import os
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import gradio
import httpx
import pytest
from canary import watched
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from hostile import uploads

from scissor.ui import guard
from scissor.ui import page as page_module
from scissor.ui.events import Events
from scissor.ui.examples import examples
from scissor.ui.opening import Opening
from scissor.ui.page import build, launch_options

SECRETS = (
    tempfile.gettempdir(),
    str(Path(gradio.__file__).parents[1]),
    str(Path.cwd()),
    "Traceback",
)


@pytest.fixture
def client(desk, monkeypatch, tmp_path):
    """A client of a page whose uploads lie under tmp_path."""
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    page = build(desk, Opening())
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield Client(url, verbose=False)
    page.close()


@pytest.fixture
def forgetful(monkeypatch):
    """Uploads are deleted after two seconds; ask for it before `client`."""
    monkeypatch.setattr(page_module, "FORGET", (1, 2))


def call(client, name, data):
    """Everything the page says to a call, as text."""
    base = f"{client.src}gradio_api/call/{name}"
    answer = httpx.post(base, json={"data": data}, timeout=60)
    if answer.status_code != 200:
        return answer.text
    return httpx.get(f"{base}/{answer.json()['event_id']}", timeout=60).text


def upload(client, content):
    """Send a form with one file to the page."""
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.mp4"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=b"}

    def form():
        yield head
        yield from content

    return httpx.post(f"{client.src}gradio_api/upload", content=form(), headers=kind, timeout=60)


def test_uploads_are_deleted_after_a_while(forgetful, client, tmp_path):
    assert upload(client, [b"a clip", b"\r\n--b--\r\n"]).status_code == 200
    folder, until = tmp_path / "uploads", time.monotonic() + 30
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["a.mp4"]
    while list(folder.rglob("a.mp4")) and time.monotonic() < until:
        time.sleep(0.2)
    assert not list(folder.rglob("a.mp4"))


def test_uploads_that_break_off_or_grow_too_large_leave_nothing(client, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(guard, "LARGE", 3 * 2**20)
    piece = bytes(2**20)

    def files():
        return [path for path in tmp_path.rglob("*") if path.is_file()]

    def wait(until):
        end = time.monotonic() + 20
        while not until() and time.monotonic() < end:
            time.sleep(0.05)
        return until()

    def broken():
        yield piece
        assert wait(files)
        raise RuntimeError("the visitor leaves")

    with pytest.raises(RuntimeError, match="leaves"):
        upload(client, broken())
    assert wait(lambda: not files())
    refused = upload(client, [piece] * 5)
    assert refused.status_code == 413
    assert not any(secret in refused.text for secret in SECRETS)
    assert wait(lambda: not files())
    assert upload(client, [piece, b"\r\n--b--\r\n"]).status_code == 200
    assert wait(files)


def test_hostile_uploads_get_a_sentence_and_no_path(client, clip, tmp_path):
    target = tmp_path / "canary" / "target.mp4"
    target.parent.mkdir()
    target.write_bytes(clip.read_bytes())
    with watched(target) as canary:
        for k, (_, name, content) in enumerate(list(uploads(canary))[::8]):
            bad = tmp_path / f"{k}{name.replace('%', '')}"
            bad.write_bytes(content)
            with pytest.raises(AppError) as caught:
                client.predict(handle_file(str(bad)), 4, api_name="/encode")
            assert str(caught.value).endswith(".")
            assert not any(secret in str(caught.value) for secret in SECRETS)
        assert canary.visitors() == []
        for address in (canary.url, canary.url.replace("http", "HTTP")):
            file = {"path": address, "meta": {"_type": "gradio.FileData"}}
            assert "no web addresses" in call(client, "encode", [file, 4, "mini"])
        assert canary.visitors() == []
    assert client.predict(handle_file(str(clip)), 4, api_name="/encode")["frames"] == 4


def test_odd_requests_tell_nothing_of_the_server(client):
    file = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    odd = [
        [file, 4, "mini"],
        [file | {"path": "../../app.py"}, 4, "mini"],
        [file | {"path": "file:///etc/passwd"}, 4, "mini"],
        [file | {"path": None}, 4, "mini"],
        [file | {"path": "a\0b"}, 4, "mini"],
        [{"path": ["/etc/passwd"]}, 4, "mini"],
        ["/etc/passwd", 4, "mini"],
        [None, "many", {}],
        [None],
        [],
        [[[]], None, 9, 9, 9],
    ]
    for data in odd:
        for name in ("encode", "answer", "no_such_name"):
            told = call(client, name, data)
            assert not any(secret in told for secret in SECRETS), (name, data, told)
            assert "root:" not in told
            assert '"tokens"' not in told
    for path in ("/etc/passwd", f"{os.getcwd()}/app.py", f"{os.getcwd()}/.git/config"):
        assert httpx.get(f"{client.src}gradio_api/file={path}").status_code in (403, 404)


def test_no_event_hands_a_visitors_file_to_ffmpeg(desk, clip):
    """Gradio runs ffmpeg, without bounds, on any video that a function of the page returns."""
    page = build(desk, Opening())
    kinds = {part["id"]: part["type"] for part in page.config["components"]}
    suspects = set()
    for event in page.config["dependencies"]:
        takes, gives = ([kinds[k] for k in event[end]] for end in ("inputs", "outputs"))
        if (
            event["backend_fn"]
            and "video" in gives
            and {"video", "file", "uploadbutton"} & {*takes}
        ):
            call = page.fns[event["id"]].fn
            suspects.add(getattr(call, "func", call).__name__)
    # the first returns examples alone, as is seen below; the second films that it makes itself
    assert suspects <= {"arrive", "film"}
    visit = SimpleNamespace(query="?frames=4")
    for update in Events(desk, examples()).arrive(str(clip), "what?", "mini", 4, None, visit):
        assert update[0] == gradio.skip()
    for block in page.blocks.values():
        if isinstance(block, gradio.Video):
            assert block.format is None
            assert block.interactive is False or (block.sources, block.include_audio) == (
                ["upload"],
                True,
            )


def test_a_clip_that_takes_long_to_read_holds_up_no_answer(desk):
    calls = build(desk, Opening()).fns.values()
    named = {getattr(call.fn, "__name__", ""): call for call in calls}
    opened, run = named["open"], named["run"]
    assert opened.concurrency_id != run.concurrency_id
    assert 1 < opened.concurrency_limit <= 4
    assert run.concurrency_limit == 1
