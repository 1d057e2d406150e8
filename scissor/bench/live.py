"""How quick the Live tab is with Chromium's fake camera: python -m scissor bench live.

Knows what is counted. Leaves starting page and browser to browser.py.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any

from scissor.bench.browser import CAMERA, browser, running_page

SEEN = "() => Number(document.querySelector('[data-at=live-frames]').textContent.replace(',', ''))"


def start(page: Any) -> None:
    """Open the Live tab, start the camera, wait for the first drawn frames."""
    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start the camera").click()
    page.wait_for_function(f"() => ({SEEN})() > 2", timeout=60_000)


def measure(page: Any, url: str, seconds: float) -> dict[str, float]:
    """Frames compressed, drawn and counted a second, over that many seconds of one visit."""
    page.goto(url)
    page.wait_for_function("() => window.scissor?.last.redraw", timeout=120_000)
    start(page)
    before, began = page.evaluate(SEEN), perf_counter()
    page.wait_for_timeout(1000 * seconds)
    frames, took = page.evaluate(SEEN) - before, perf_counter() - began
    return {"frames": frames, "seconds": took, "frames_a_second": frames / took}


def main(argv: Sequence[str]) -> int:
    """Start the page, film, print frames a second; --out writes them as JSON."""
    parser = argparse.ArgumentParser(prog="scissor bench live", description=__doc__)
    parser.add_argument("--url", help="a page that runs already; without it app.py is started")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    address = nullcontext(args.url) if args.url else running_page()
    try:
        with address as url, browser(*CAMERA) as chromium:
            found = measure(chromium.new_page(), url, args.seconds)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    print(
        f"{found['frames_a_second']:.1f} frames a second ({found['frames']:.0f} in "
        f"{found['seconds']:.0f} s), {os.cpu_count()} CPU cores shared with the browser"
    )
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0
