"""The Export tab: files that say what the page says, films that play, lines that repeat the run."""

import base64
import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from browser.driving import at, few_frames, kept, run, side

from scissor.draw.film import _write_webm
from scissor.export import read_tokens

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]


def saved(page, name, folder):
    with page.expect_download() as download:
        page.click(f"#sc-save-{name}")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_files_films_and_lines(page, tmp_path, monkeypatch):
    few_frames(page)
    run(page)
    answer = side(page, "kept").locator(".sc-text").inner_text()
    page.get_by_role("tab", name="Export").click()
    made, facts = read_tokens(saved(page, "tokens", tmp_path))
    assert made.kept == kept(page)
    assert facts["clip"] == "world.mp4"
    found = json.loads(saved(page, "run", tmp_path).read_text())
    assert found["counts"]["kept"] == kept(page)
    assert found["settings"] | {"frames": 4, "retention": 0.1} == found["settings"]
    assert found["answers"]["kept"]["text"] == answer
    assert found["answers"]["kept"]["current"]
    for name, seconds in (("overlay", 1), ("sweep", 4)):
        page.click(f"#sc-save-{name}")
        film = f"#sc-{name}-film video"
        page.wait_for_function(
            "(film) => document.querySelector(film)?.videoWidth >= 640", arg=film
        )
        assert page.evaluate("(film) => document.querySelector(film).duration", film) >= seconds

    page.wait_for_function(
        "() => document.querySelector('#sc-recipe .cm-content')?.innerText.includes('frames=4')"
    )
    lines = page.locator("#sc-recipe .cm-line").all_inner_texts()
    assert len(lines) == 5
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec("\n".join(lines), {})
    middle = int(at(page, "middle").replace(",", ""))
    assert printed.getvalue().strip() == f"({4 * 196}, {middle}, {kept(page)}) {answer}"


def test_a_film_written_without_pyav_plays_too(page, tmp_path):
    path = tmp_path / "film.webm"
    _write_webm(path, [np.full((64, 96, 3), 60 * k, np.uint8) for k in range(4)], 4)
    width = page.evaluate(
        """async (source) => {
          const video = Object.assign(document.createElement('video'), { src: source });
          await new Promise((done, fail) => { video.onloadeddata = done; video.onerror = fail; });
          return video.videoWidth;
        }""",
        "data:video/webm;base64," + base64.b64encode(path.read_bytes()).decode(),
    )
    assert width == 96
