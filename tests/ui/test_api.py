"""The named endpoints through gradio_client, and that they refuse what was not uploaded."""

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from scissor.ui.opening import Opening
from scissor.ui.page import build, launch_options


@pytest.fixture
def client(desk, monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    page = build(desk, Opening())
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield Client(url, verbose=False)
    page.close()


def test_the_endpoints(client, desk, clip):
    film = handle_file(str(clip))
    api = client.view_api(return_format="dict")["named_endpoints"]
    assert set(api) == {"/encode", "/compress", "/answer"}
    returned = api["/compress"]["returns"][0]["type"]["properties"]
    assert returned["kept"] == {"type": "integer"}
    assert "retention in (0, 1]" in api["/compress"]["description"]

    encoded = client.predict(film, 4, api_name="/encode")
    assert (encoded["frames"], encoded["tokens"], encoded["width"]) == (4, 144, 8)

    few = client.predict(film, 4, retention=0.1, api_name="/compress")
    more = client.predict(film, 4, tau=few["tau"] + 0.01, api_name="/compress")
    assert few["tokens_in"] == 144
    assert few["kept"] <= few["after_step_1"] <= 144
    assert few["retention"] == pytest.approx(few["kept"] / 144, abs=1e-5)
    assert more["after_step_1"] >= few["after_step_1"]

    both = client.predict(film, "How many?", 4, 0.1, api_name="/answer")
    assert both["all"]["text"] == "I was given 144 tokens in 4 frames"
    assert both["kept"]["text"] == f"I was given {few['kept']} tokens in 4 frames"
    assert 0 < both["kept"]["seconds_first"] <= both["kept"]["seconds_total"]
    assert desk.shelf.model.encodings == 1

    for wrong, why in (
        ({"retention": 2, "api_name": "/compress"}, "at most 1"),
        ({"tau": 3, "api_name": "/compress"}, "from -1 to 1"),
        ({"tau": 0.5, "retention": 0.5, "api_name": "/compress"}, "not both"),
        ({"model": "/etc", "api_name": "/encode"}, "no model of that name"),
        ({"question": " ", "api_name": "/answer"}, "Type a question"),
        ({"frames": 0, "api_name": "/encode"}, "from 1 to"),
    ):
        with pytest.raises(AppError, match=why):
            client.predict(clip=film, **wrong)


def test_no_path_of_the_server_can_be_named(client, clip):
    base = f"{client.src}gradio_api/call/encode"
    for path in (str(clip), "/etc/passwd", "app.py"):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        event = httpx.post(base, json={"data": [file, 4, "mini"]}).json()["event_id"]
        answer = httpx.get(f"{base}/{event}", timeout=60).text
        assert "event: error" in answer
        assert "tokens" not in answer


def test_private_events_cannot_be_called(client):
    for name in ("/open", "/run", "/figures", "/pick"):
        with pytest.raises(ValueError, match="Cannot find a function"):
            client.predict(api_name=name)
