"""Makes the README's pictures of the page: python tests/browser/screenshots.py [NAME ...]

Starts the page, opens it as a visitor would, and writes desktop (light and dark), phone, graph,
the comparison, a patch's likes and the three steps into assets/pictures.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scissor.bench.browser import browser, running_page  # noqa: E402

PICTURES = ROOT / "assets" / "pictures"
SHOTS = {
    "page_light": {"width": 1440, "height": 1500},
    "page_dark": {"width": 1440, "height": 1500, "theme": "dark"},
    "phone": {"width": 390, "height": 844, "scale": 2},
    "graph": {"width": 1440, "height": 1180, "tab": "Graph", "example": 3},
    "compare": {
        "width": 1440,
        "height": 1180,
        "tab": "Compare",
        "example": 3,
        "press": "#sc-compare-run",
        "part": "#sc-compare",
    },
    "alike": {"width": 1440, "height": 1180, "example": 1, "view": "Alike", "part": "#sc-viewer"},
    "steps": {"width": 1440, "height": 1180, "scale": 2, "example": 3, "part": "#sc-story"},
}


def take(
    chromium,
    url,
    path,
    width,
    height,
    theme="light",
    scale=1,
    tab=None,
    example=None,
    view=None,
    press=None,
    part=None,
):
    """One picture of the page as it opens, or with another example, tab or view; `part` alone.

    press: a button of the Compare tab, whose end is waited for.
    """
    context = chromium.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale
    )
    page = context.new_page()
    page.goto(f"{url}/?__theme={theme}")
    page.wait_for_function("() => window.scissor?.last.redraw && window.scissor.last.scene")
    page.wait_for_timeout(1500)
    if example is not None:
        page.evaluate("() => { window.seen = scissor.last.scene; }")
        page.locator("#sc-examples button").nth(example).click()
        page.wait_for_function("() => scissor.last.scene !== window.seen", timeout=60_000)
        page.wait_for_timeout(3000)
    if tab:
        page.get_by_role("tab", name=tab, exact=True).click()
        if tab == "Graph":
            page.wait_for_selector(".js-plotly-plot", state="attached")
        page.wait_for_timeout(3000)
    if view:
        page.get_by_role("radio", name=view).click()
        page.wait_for_timeout(1000)
    if press:
        page.click(press)
        page.wait_for_selector("#sc-compare-status p:not(.sc-busy):not(:empty)", timeout=120_000)
        page.wait_for_timeout(1500)
    if part == "#sc-story":
        boxes = [figure.bounding_box() for figure in page.locator(f"{part} figure").all()]
        left, top = boxes[0]["x"], boxes[0]["y"]
        right = boxes[-1]["x"] + boxes[-1]["width"]
        clip = {"x": left, "y": top, "width": right - left, "height": boxes[0]["height"]}
        page.screenshot(path=path, clip=clip)
    elif part:
        page.locator(part).screenshot(path=path)
    else:
        page.screenshot(path=path)
    context.close()


def main(url=None, only=()):
    """All pictures, or `only` those, of a page that runs already or of one started for it."""
    if url is None:
        with running_page() as started:
            return main(started, only)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        for name, how in SHOTS.items():
            if not only or name in only:
                take(chromium, url, PICTURES / f"{name}.png", **how)


if __name__ == "__main__":
    main(only=sys.argv[1:])
