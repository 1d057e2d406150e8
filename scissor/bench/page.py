"""How quick the page is, measured in a real Chromium: python -m scissor bench page.

Knows what is timed and how it is printed. Leaves starting page and browser to browser.py.

opening: from the address to the drawn overlay. canvas: from a dial's move to the redrawn overlay
and counts. plotly: from letting go of a dial to the redrawn figures of a tab. run: from Run to
both complete answers, on the opening clip.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from scissor.bench.browser import browser, running_page

MOVES = 30
DRAWN = """() => {
  const canvas = document.querySelector('[data-at="screen"]');
  if (!window.scissor?.last.redraw || !canvas?.width) return false;
  const middle = [canvas.width / 2, canvas.height / 2, 1, 1];
  return canvas.getContext('2d').getImageData(...middle).data[3] > 0;
}"""
# Moves the retention dial; resolves with the milliseconds to the second frame after the redraw.
MOVE = """(value) => new Promise((done) => {
  const dial = document.querySelector('#sc-retention'), before = scissor.last.redraw;
  const start = performance.now();
  dial.value = value;
  dial.dispatchEvent(new Event('input', { bubbles: true }));
  const look = () => (scissor.last.redraw === before ? requestAnimationFrame(look)
    : requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start))));
  look();
})"""
# Lets the dial go and resolves when the tab's last figure shows other data than before.
RELEASE = """([value, plot]) => new Promise((done) => {
  const dial = document.querySelector('#sc-retention');
  const shown = () => { const p = document.querySelector(plot + ' .js-plotly-plot');
    return p?.data ? JSON.stringify(p.data.at(-1).x).slice(0, 4000) : null; };
  const before = shown(), start = performance.now(), next = requestAnimationFrame;
  dial.value = value;
  dial.dispatchEvent(new Event('input', { bubbles: true }));
  dial.dispatchEvent(new Event('change', { bubbles: true }));
  const look = () => { const now = shown();
    if (now === null || now === before) next(look);
    else next(() => next(() => done(performance.now() - start))); };
  look();
})"""
TABS = {"graph": ("Graph", "#sc-network"), "tokens": ("Tokens", "#sc-curve")}


def measure(page: Any, url: str, moves: int = MOVES) -> dict[str, Any]:
    """Drive one visit; times in milliseconds, each a list of all that were measured."""
    start = perf_counter()
    page.goto(url)
    page.wait_for_function(DRAWN, timeout=120_000)
    found: dict[str, Any] = {"opening": [1e3 * (perf_counter() - start)]}
    dial = [300 + 17 * k % 500 for k in range(moves)]
    found["canvas"] = [page.evaluate(MOVE, value) for value in dial]
    for name, (tab, plot) in TABS.items():
        page.get_by_role("tab", name=tab).click()
        page.wait_for_selector(f"{plot} .js-plotly-plot", state="attached", timeout=60_000)
        page.wait_for_timeout(1500)
        found[f"plotly, {name}"] = [
            page.evaluate(RELEASE, [value, plot]) for value in dial[: max(3, moves // 3)]
        ]
    page.get_by_role("tab", name="Overlay").click()
    found["run"] = [_run(page)]
    return found


def _run(page: Any) -> float:
    done = """() => ['all', 'kept'].every((side) =>
      document.querySelector(`[data-side="${side}"]`).dataset.state === 'done')"""
    # The opening's answers are done already: wait for the first new state, then for the end.
    start = perf_counter()
    page.click("#sc-run")
    page.wait_for_function(f"() => !({done})()", timeout=60_000)
    page.wait_for_function(done, timeout=300_000)
    return 1e3 * (perf_counter() - start)


def table(found: dict[str, list[float]]) -> str:
    """Median and worst of each, in milliseconds."""
    lines = [f"{'':16}{'median':>10}{'worst':>10}{'times':>8}"]
    for name, values in found.items():
        worst = max(values)
        lines.append(f"{name:16}{median(values):>7.0f} ms{worst:>7.0f} ms{len(values):>8}")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Start the page, drive it, print the table; --out writes every measurement as JSON."""
    parser = argparse.ArgumentParser(prog="scissor bench page", description=__doc__)
    parser.add_argument("--url", help="a page that runs already; without it app.py is started")
    parser.add_argument("--moves", type=int, default=MOVES)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    address = nullcontext(args.url) if args.url else running_page()
    try:
        with address as url, browser() as chromium:
            page = chromium.new_page(viewport={"width": 1440, "height": 1000})
            found = measure(page, url, args.moves)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    print(f"16 frames, {os.cpu_count()} CPU cores, headless Chromium")
    print(table(found))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0
