"""The overlay: its views, what a press and a hand do, the weakest link, the falling threshold."""

import pytest
from browser.driving import PAINTED, at, clip_key, kept, mark, new_clip, painted, turn

pytestmark = pytest.mark.browser
SCREEN = "document.querySelector('[data-at=\"screen\"]').toDataURL()"


def test_the_overlays_views_frames_and_isolation(page):
    screen = '[data-at="screen"]'
    picture = page.evaluate(f"document.querySelector('{screen}').toDataURL()")
    page.get_by_role("radio", name="Components").click()
    assert page.evaluate(f"document.querySelector('{screen}').toDataURL()") != picture
    page.get_by_role("radio", name="Shares").click()
    assert "%" in at(page, "moved")
    page.get_by_role("radio", name="Groups").click()
    page.get_by_role("button", name="Frame 5,").click()
    assert at(page, "when").startswith("5 / 16")
    first = page.locator(".sc-list button").first
    first.click()
    assert page.locator('.sc-list button[aria-pressed="true"]').count() == 1
    page.locator(screen).hover(position={"x": 100, "y": 60})
    assert page.locator(".sc-tip").is_visible()
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        "() => !document.querySelector('[data-at=when]').textContent.startsWith('5')"
    )
    page.get_by_role("button", name="Pause", exact=True).click()


def test_a_pressed_patch_shows_what_it_is_alike_to(page):
    screen = "document.querySelector('[data-at=\"screen\"]').toDataURL()"
    page.get_by_role("radio", name="Alike").click()
    page.wait_for_timeout(500)
    first = page.evaluate(screen)
    page.locator('[data-at="screen"]').click(position={"x": 30, "y": 30})
    page.wait_for_function(f"(before) => {screen} !== before", arg=first)
    page.locator('[data-at="screen"]').hover(position={"x": 30, "y": 30})
    assert page.locator(".sc-tip").inner_text() == "cosine 1.000"


def test_a_frame_is_compared_with_what_the_kept_tokens_tell(page):
    page.get_by_role("radio", name="Rebuilt").click()
    box = page.locator('[data-at="screen"]').bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, middle)
    page.mouse.up()
    assert float(page.input_value('[data-at="wipe"]')) < 2
    after = page.evaluate(PAINTED, '[data-at="screen"]')
    page.locator('[data-at="wipe"]').fill("100")
    before = page.evaluate(PAINTED, '[data-at="screen"]')
    assert before > 2 * after
    page.get_by_role("radio", name="Groups").click()
    assert page.locator('[data-at="wipe"]').is_hidden()


def test_the_weakest_link_is_told_and_shown(page):
    page.locator('[data-at="weak"]').wait_for()
    said = at(page, "weak-said")
    assert "holds the largest group’s" in said
    patches = page.locator(".sc-list button").first.inner_text().split()[0]
    assert f"{patches} patches" in said
    page.get_by_role("button", name="Show it").click()
    assert page.is_checked('[data-at="links"]')
    assert page.locator(".sc-list button").first.get_attribute("aria-pressed") == "true"
    with_link = page.evaluate(SCREEN)
    page.uncheck('[data-at="links"]')
    assert page.evaluate(SCREEN) != with_link
    page.get_by_role("radio", name="Components").click()
    page.wait_for_function(
        "() => document.querySelector('[data-at=\"weak-said\"]').innerText.includes(', in frame')"
    )
    page.get_by_role("radio", name="Shares").click()
    assert page.locator('[data-at="weak"]').is_hidden()


def test_the_graph_marks_the_weakest_link(page):
    page.locator('[data-at="weak"]').wait_for()
    said = at(page, "weak-said")
    page.get_by_role("tab", name="Graph").click()
    page.wait_for_function(
        "() => document.querySelector('#sc-network .js-plotly-plot')?.data?.at(-1)?.text"
    )
    assert said in page.locator("#sc-graph-line").inner_text()
    marked = page.evaluate(
        "() => document.querySelector('#sc-network .js-plotly-plot').data.at(-1).text[0]"
    )
    assert said.split("cosine ")[1][:5] in marked


def test_the_threshold_falls_and_comes_back(page):
    start = mark(page), at(page, "retention-value")
    page.evaluate(
        "() => { window.seen = []; scissor.hear('redraw', (r) => seen.push(r.counts[2])); }"
    )
    page.get_by_role("button", name="Let the threshold fall").click()
    page.wait_for_function("() => !scissor.sweep.falling", timeout=60_000)
    page.wait_for_function("(mark) => scissor.last.redraw.mark === mark", arg=start[0])
    assert at(page, "retention-value") == start[1]
    seen = page.evaluate("seen")[1:-1]
    assert len(seen) > 4
    assert seen[0] > 0.8 * 3136
    assert min(seen) < 0.02 * 3136
    assert page.locator("[data-dial=retention].sc-leads").count() == 1


def test_a_hand_on_a_dial_ends_the_fall(page):
    before = kept(page)
    page.get_by_role("button", name="Let the threshold fall").click()
    page.wait_for_function("(n) => scissor.last.redraw.counts[2] !== n", arg=before)
    turn(page, "retention", 700)
    page.wait_for_function(
        "() => !scissor.sweep.falling && scissor.last.redraw.lead === 'retention'"
    )
    assert page.get_by_role("button", name="Let the threshold fall").is_visible()
    assert float(page.input_value("#sc-retention")) == pytest.approx(700, abs=1)


def test_a_group_carries_a_guess_called_one(page):
    before = clip_key(page)
    page.locator("#sc-examples button").nth(3).click()
    new_clip(page, before)
    painted(page, "merged")  # by day, unlike the Earth's, one token each still is a picture
    page.locator(".sc-list button", has_text="butterfly?").first.wait_for()
    assert "is a guess" in page.locator('[data-at="guess"]').inner_text()
    page.get_by_role("radio", name="Shares").click()
    assert page.locator(".sc-list button", has_text="?").count() == 0
    page.get_by_role("radio", name="Groups").click()
    before = clip_key(page)
    page.locator("#sc-examples button").nth(1).click()
    new_clip(page, before)
    assert page.locator('[data-at="guess"]').is_hidden()  # of the rabbit nothing is sure enough
