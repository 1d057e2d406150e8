"""The real page in a real browser: starts app.py, finds Chromium, drives it through Playwright.

Knows processes and browsers. Leaves what is measured to page.py and what is tested to tests/.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

APP = Path(__file__).resolve().parents[2] / "app.py"
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""Arguments of a Chromium that films a turning disc and asks nobody."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def running_page(wait: float = 120.0) -> Iterator[str]:
    """As started_page, for who wants the address alone."""
    with started_page(wait) as (url, _):
        yield url


@contextmanager
def started_page(wait: float = 120.0) -> Iterator[tuple[str, int]]:
    """Start app.py as its readers do, on a free port; yields address and process id, stops it.

    Raises RuntimeError with the end of its output if it does not answer within `wait` seconds.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "0"}
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+") as said:  # a pipe that nobody reads would stop it when full
        app = subprocess.Popen(
            [sys.executable, str(APP)],
            env=environment,
            cwd=APP.parent,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            _await(url, app, said, wait)
            yield url, app.pid
        finally:
            app.terminate()
            try:
                app.wait(20)
            except subprocess.TimeoutExpired:
                app.kill()


def _await(url: str, app: subprocess.Popen, said: IO[str], wait: float) -> None:
    until = time.monotonic() + wait
    while time.monotonic() < until:
        if app.poll() is not None:
            said.seek(0)
            raise RuntimeError(f"app.py ended: {said.read()[-2000:]}")
        try:
            urllib.request.urlopen(f"{url}/config", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    raise RuntimeError(f"app.py did not answer within {wait:.0f} s")


@contextmanager
def browser(*arguments: str) -> Iterator[Any]:
    """A headless Chromium (playwright.sync_api.Browser) with more command line arguments.

    Raises RuntimeError naming what to install where Playwright or Chromium is missing.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise RuntimeError("this needs Playwright: pip install playwright") from None
    path = find_chromium()
    if path is None:
        raise RuntimeError("this needs Chromium: install your system's chromium package")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", *arguments]
        )
        try:
            yield chromium
        finally:
            chromium.close()
