"""Whoever leaves while an answer is made lets the model go."""

import time

import httpx
import pytest

from scissor.ui.opening import Opening
from scissor.ui.page import build, launch_options


@pytest.fixture
def page(desk, monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    page = build(desk, Opening())
    page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield page
    page.close()


def test_a_visitor_who_leaves_lets_the_model_go(page, desk, clip, monkeypatch):
    spoken = []

    def answer(encoded, kept, question, *, max_new_tokens=64, stop=None):
        for k in range(400 if max_new_tokens > 1 else 1):
            time.sleep(0.05)
            spoken.append(k)
            yield f"word{k} "

    monkeypatch.setattr(desk.shelf.model, "answer", answer)
    base = f"{page.local_url}gradio_api"
    with open(clip, "rb") as file:
        path = httpx.post(f"{base}/upload", files={"files": file}).json()[0]
    run = next(key for key, call in page.fns.items() if getattr(call.fn, "__name__", "") == "run")
    film = {"path": path, "meta": {"_type": "gradio.FileData"}}
    data = [film, "what?", "mini", 4, {"handle": None, "lead": "retention", "value": 0.1}]
    body = {"data": data, "fn_index": run, "session_hash": "visitor"}
    httpx.post(f"{base}/queue/join", json=body).raise_for_status()
    with httpx.stream("GET", f"{base}/queue/data?session_hash=visitor", timeout=60) as told:
        for _ in (line for line in told.iter_lines() if "process_generating" in line):
            if len(spoken) > 3:
                break
        assert desk.shelf.lock.locked()
    until = time.monotonic() + 15
    while desk.shelf.lock.locked() and time.monotonic() < until:
        time.sleep(0.05)
    assert not desk.shelf.lock.locked()
    assert len(spoken) < 300
