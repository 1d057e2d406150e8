"""The Live tab with Chromium's fake camera: a green disc that turns."""

import pytest
from browser.driving import painted

from scissor.bench.live import SEEN, start

pytestmark = pytest.mark.browser
KEPT = "() => Number(document.querySelector('[data-at=live-kept]').textContent.replace(',', ''))"
DRAWN = "() => document.querySelector('[data-at=live-screen]').toDataURL()"
ANSWERED = """() => ['all', 'kept'].every((side) =>
  document.querySelector(`[data-live="${side}"]`).dataset.state === 'done')"""


def test_the_camera_is_compressed_drawn_and_asked_about(page):
    start(page)
    assert page.locator("#sc-dials").is_hidden()
    painted(page, "live-screen")
    seen, picture = page.evaluate(SEEN), page.evaluate(DRAWN)
    page.wait_for_function(f"(seen) => ({SEEN})() > seen + 2", arg=seen)
    assert page.evaluate(DRAWN) != picture
    assert page.locator(".sc-live-held canvas").count() >= 3

    few = page.evaluate(KEPT)
    page.locator("[data-at=live-tau]").fill("0.98")
    page.wait_for_function(f"(few) => ({KEPT})() > few", arg=few)

    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_function(ANSWERED, timeout=180_000)
    for name in ("all", "kept"):
        card = page.locator(f'[data-live="{name}"]')
        assert card.locator(".sc-text").inner_text().strip()
        assert "first word" in card.inner_text()

    page.get_by_role("button", name="Stop the camera").click()
    assert page.get_by_role("button", name="Start the camera").is_visible()
    page.get_by_role("tab", name="Overlay").click()
    page.wait_for_selector("#sc-dials:visible")


def test_a_camera_that_cannot_be_had_gets_a_sentence(page):
    page.get_by_role("tab", name="Live").click()
    note = page.locator("[data-at=live-note]")
    for error, told in (("NotAllowedError", "not allowed"), ("NotFoundError", "No camera")):
        page.evaluate(
            """(name) => { navigator.mediaDevices.getUserMedia = () =>
              Promise.reject(new DOMException('no', name)); }""",
            error,
        )
        page.get_by_role("button", name="Start the camera").click()
        note.filter(has_text=told).wait_for()
        assert note.inner_text().endswith(".")
        assert page.get_by_role("button", name="Start the camera").is_enabled()
