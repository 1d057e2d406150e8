"""Everyone can use the page: axe-core finds nothing serious, the keyboard reaches everything."""

import os
from importlib.resources import files

import pytest
from browser.driving import at, few_frames, kept, run, turn

pytestmark = pytest.mark.browser
# The figures that stand on the page once the tab has been opened, in this order.
TABS = {"Overlay": 0, "Graph": 1, "Tokens": 5, "Compare": 5, "Live": 5, "Export": 5}


@pytest.fixture(scope="module")
def axe():
    try:
        return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    except ModuleNotFoundError:
        reason = "axe-core is missing: pip install axe-playwright-python"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_serious_violation(open_page, axe, dark):
    page = open_page(dark=dark)
    few_frames(page)
    run(page)
    turn(page, "retention", 350)  # a stale answer is shown too
    page.evaluate(axe)
    for tab, plots in TABS.items():
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_function(
            "(n) => document.querySelectorAll('#sc-main .js-plotly-plot').length >= n", arg=plots
        )
        if tab == "Export":
            page.wait_for_selector("#sc-recipe .cm-line:has-text('frames=')")
        page.wait_for_timeout(500)
        found = page.evaluate("axe.run()")["violations"]
        serious = [
            (v["id"], [node["target"] for node in v["nodes"]])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert not serious, tab


def test_the_dials_and_views_work_by_keyboard(page):
    before = kept(page)
    page.focus("#sc-tau")
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("(n) => scissor.last.redraw.counts[2] !== n", arg=before)
    assert "tokens kept" in page.get_attribute("#sc-tau", "aria-valuetext")
    page.get_by_role("radio", name="Groups").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="Shares").get_attribute("aria-checked") == "true"
    page.focus('[data-at="scrub"]')
    page.keyboard.press("ArrowRight")
    assert at(page, "when").startswith("2 / 16")
    page.locator(".sc-list button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator('.sc-list button[aria-pressed="true"]').count() == 1


def test_every_control_has_a_name(page):
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#sc-main button, #sc-main input, #sc-main textarea,'
            + '#sc-main canvas[role=img]')]
          .filter((e) => e.offsetParent && e.type !== 'file'
            && !(e.ariaLabel || e.innerText || e.labels?.length || e.title
              || e.closest('label') || e.getAttribute('aria-labelledby')))
          .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
