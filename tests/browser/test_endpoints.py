"""The named endpoints of the real page, with the real embedded model."""

import re
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

MOUNTAINS = Path(__file__).parents[2] / "assets" / "clips" / "scene_mountains.mp4"

pytestmark = pytest.mark.browser


def test_the_endpoints_do_what_the_page_does(url):
    client, film = Client(url, verbose=False), handle_file(str(MOUNTAINS))
    encoded = client.predict(film, api_name="/encode")
    assert (encoded["model"], encoded["frames"], encoded["tokens"]) == ("mini", 16, 3136)
    counts = client.predict(film, retention=0.1, api_name="/compress")
    assert counts["tokens_in"] == 3136 > counts["after_step_1"] >= counts["kept"]
    assert counts["retention"] == pytest.approx(0.1, abs=0.01)
    both = client.predict(film, "What objects appear in the video?", api_name="/answer")
    for side, tokens in (("all", 3136), ("kept", counts["kept"])):
        assert both[side]["tokens"] == tokens
        assert re.search(r"balloon|tractor|butterfly", both[side]["text"], re.IGNORECASE)
    assert both["kept"]["seconds_first"] < both["all"]["seconds_first"]
