"""The real page, started as its readers start it, in a real Chromium.

Without Chromium or Playwright, or without the embedded model's weights, these tests are skipped and
say so; under CI=true that is a failure. SCISSOR_PAGE names a page that runs already.
"""

import os

import pytest
from browser.driving import painted

from scissor.bench.browser import CAMERA, browser, find_chromium, running_page
from scissor.models import catalog


def missing():
    """What these tests lack here, or None."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "Playwright is missing: pip install playwright"
    if find_chromium() is None:
        return "Chromium is missing"
    if "SCISSOR_PAGE" not in os.environ:
        return catalog.why_not(catalog.find("mini"))
    return None


@pytest.fixture(scope="session")
def url():
    reason = missing()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    if "SCISSOR_PAGE" in os.environ:
        yield os.environ["SCISSOR_PAGE"]
        return
    with running_page() as address:
        yield address


@pytest.fixture(scope="session")
def chromium(url):
    with browser(*CAMERA) as found:
        yield found


@pytest.fixture
def open_page(chromium, url):
    """A visitor: open_page(width=..., dark=...) -> the loaded page; fails on script errors."""
    contexts, errors = [], []

    def opened(width=1440, height=1000, dark=False):
        context = chromium.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}/?__theme={'dark' if dark else 'light'}")
        page.wait_for_function("() => window.scissor?.last.redraw && window.scissor.last.scene")
        painted(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(open_page):
    return open_page()
