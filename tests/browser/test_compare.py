"""The Compare tab, with the embedded model: a table, its frames, the charts, the search."""

import pytest
from browser.driving import few_frames, new_clip

pytestmark = pytest.mark.browser

SOME = """() => {
  const canvases = [...document.querySelectorAll('.sc-compare-strip canvas')];
  return canvases.length > 0 && canvases.every((canvas) => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(Array.from({ length: 400 }, (_, k) => data[4 * k * 29])).size > 5;
  });
}"""


@pytest.fixture
def tab(page):
    """The Compare tab on a clip of four frames."""
    before = few_frames(page)
    new_clip(page, before)
    page.get_by_role("tab", name="Compare").click()
    return page


def choose(page, *titles):
    """Tick exactly these methods."""
    for box in page.locator("#sc-compare-form input[type=checkbox]").all():
        box.set_checked(box.locator("xpath=..").inner_text().strip() in titles)


def press(page, button):
    """Press a button for the first time; wait until the line says how it ended."""
    page.click(button)
    page.wait_for_selector("#sc-compare-status p:not(.sc-busy):not(:empty)", timeout=180_000)


def methods(page):
    return [body.get_attribute("data-method") for body in page.locator("#sc-compare tbody").all()]


def test_methods_answer_at_one_budget_and_the_table_sorts(tab):
    choose(tab, "SCC", "FastV", "VisionZip", "Random tokens")
    press(tab, "#sc-compare-run")
    assert sorted(methods(tab)) == ["all", "fastv", "random", "scc", "visionzip"]
    assert tab.locator('#sc-compare [data-state="done"]').count() == 5
    for body in tab.locator("#sc-compare tbody").all()[1:]:
        assert "79 · 10.1%" in body.inner_text()
        assert len(body.locator(".sc-said").inner_text()) > 2
    tab.wait_for_function(SOME)

    head = tab.locator("#sc-compare thead th", has_text="Drift")
    head.get_by_role("button", name="Drift", exact=True).click()
    assert head.get_attribute("aria-sort") == "ascending"
    drifts = [
        float(body.locator("[data-label=Drift]").inner_text())
        for body in tab.locator('#sc-compare tbody:not([data-method="all"])').all()
    ]
    assert drifts == sorted(drifts)
    up = methods(tab)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert [m for m in methods(tab) if m != "all"] == [m for m in up if m != "all"][::-1]

    shown = "document.querySelector('[data-method=visionzip] canvas').toDataURL()"
    pictures = {tab.evaluate(shown)}
    for name in ("What is left", "Attention"):
        tab.get_by_role("radio", name=name).click()
        pictures.add(tab.evaluate(shown))
    assert len(pictures) == 3


def test_the_charts_have_a_line_a_method(tab):
    choose(tab, "SCC", "Random tokens")
    press(tab, "#sc-compare-draw")
    tab.wait_for_function(
        "() => ['retention', 'flops'].every((name) => document.querySelector("
        "`#sc-drift-${name} .js-plotly-plot`)?.data?.every((line) => line.x.length === 5))"
    )
    names = tab.evaluate(
        "document.querySelector('#sc-drift-flops .js-plotly-plot').data.map((l) => l.name)"
    )
    assert names == ["SCC", "Random tokens"]


def test_the_smallest_retention_that_keeps_the_answer_sets_the_dials(tab):
    press(tab, "#sc-find")
    line = tab.locator("#sc-compare-status p").inner_text()
    assert " of 784 tokens" in line
    asked = float(line.split("(")[1].split("%")[0])
    tab.wait_for_function(
        "(share) => Math.abs(100 * scissor.last.redraw.asked - share) < 0.1", arg=asked
    )


def test_stop_ends_a_comparison_and_the_tab_goes_on(page):
    page.get_by_role("tab", name="Compare").click()
    page.click("#sc-compare-run")
    page.click("#sc-compare-stop")
    page.wait_for_selector("#sc-compare-status p:text-is('Stopped.')", timeout=60_000)
    assert page.locator('#sc-compare [data-state="stopped"]').count() > 0
    choose(page)
    page.click("#sc-compare-run")
    page.wait_for_selector("#sc-compare-status p:has-text('Choose at least one')")
