"""A visit: open, upload, run, move the dials, look at every tab."""

import time

import pytest
from browser.driving import (
    answered,
    at,
    clip_key,
    few_frames,
    kept,
    mark,
    new_clip,
    painted,
    run,
    side,
    status,
    turn,
    upload,
)
from PIL import Image

pytestmark = pytest.mark.browser
# On a phone, from top to bottom.
ORDER = ("#sc-video", "#sc-dials", "#sc-viewer", "#sc-question", "#sc-run", "#sc-answers")


def test_it_opens_on_an_example_encoded_drawn_and_answered(page):
    painted(page, "screen", "alike", "linked")
    painted(page, "merged", colours=5)  # a night sky and a ball, one colour a token
    total = int(at(page, "in").replace(",", ""))
    assert total == 16 * 196
    assert 0 < kept(page) < total
    assert page.locator(".sc-frames canvas").count() == 16
    for name in ("all", "kept"):
        assert side(page, name).get_attribute("data-state") == "done"
        assert len(side(page, name).locator(".sc-text").inner_text()) > 3
        assert "first word" in side(page, name).locator("footer").inner_text()
    assert "→" in page.locator(".sc-numbers").inner_text()


def test_upload_run_move_the_threshold_and_ask_again(page, clip):
    before = clip_key(page)
    upload(page, clip)
    new_clip(page, before)
    assert "Another clip" in side(page, "kept").inner_text()
    assert "sc-dim" in side(page, "all").get_attribute("class")
    few_frames(page)
    page.locator("#sc-question textarea").fill("What objects appear in the video?")
    run(page)
    answered(page)
    for name in ("all", "kept"):
        assert side(page, name).locator(".sc-text").inner_text().strip()
        assert "sc-dim" not in (side(page, name).get_attribute("class") or "")
    painted(page)

    count, made = kept(page), mark(page)
    full = side(page, "all").inner_text()
    low, high = (float(page.get_attribute("#sc-tau", end)) for end in ("min", "max"))
    now = float(page.input_value("#sc-tau"))
    turn(page, "tau", now - 0.2 * (now - low))
    assert kept(page) != count
    assert page.locator("[data-dial=tau]").get_attribute("class").split() == ["sc-dial", "sc-leads"]
    assert "sc-dim" in side(page, "kept").get_attribute("class")
    assert "the dials now say" in side(page, "kept").inner_text()
    assert side(page, "all").inner_text() == full
    assert "sc-dim" not in (side(page, "all").get_attribute("class") or "")

    page.get_by_role("button", name="Ask again").click()
    page.wait_for_function(
        "() => !document.querySelector('[data-side=kept]').classList.contains('sc-dim')"
        " && document.querySelector('[data-side=kept]').dataset.state === 'done'",
        timeout=120_000,
    )
    assert f"{kept(page):,} tokens" in side(page, "kept").inner_text()
    assert mark(page) != made


def test_an_answer_brightens_when_the_dial_comes_back(page):
    few_frames(page)
    run(page)
    start = page.input_value("#sc-retention")
    turn(page, "retention", 300)
    assert "sc-dim" in side(page, "kept").get_attribute("class")
    turn(page, "retention", float(start))
    assert "sc-dim" not in (side(page, "kept").get_attribute("class") or "")


def test_a_changed_question_dims_both_answers(page):
    few_frames(page)
    run(page)
    page.locator("#sc-question textarea").fill("Is it raining?")
    page.wait_for_selector('[data-side="all"].sc-dim')
    page.wait_for_selector('[data-side="kept"].sc-dim')
    page.locator("#sc-question textarea").fill("What objects appear in the video?")
    page.wait_for_selector('[data-side="all"]:not(.sc-dim)')


def test_the_dials_follow_each_other(page):
    turn(page, "retention", 650)
    few, tau = kept(page), float(page.input_value("#sc-tau"))
    assert at(page, "retention-value").startswith("20")
    turn(page, "retention", 850)
    assert kept(page) > few
    assert float(page.input_value("#sc-tau")) > tau
    assert page.locator("[data-dial=retention].sc-leads").count() == 1
    turn(page, "tau", tau)
    assert page.locator("[data-dial=tau].sc-leads").count() == 1
    assert float(page.input_value("#sc-retention")) == pytest.approx(650, abs=60)


def test_the_leading_dial_stays_where_it_is_when_the_clip_changes(page):
    turn(page, "tau", float(page.input_value("#sc-tau")) - 0.02)
    value, before = at(page, "tau-value"), clip_key(page)
    page.locator("#sc-examples button").nth(1).click()
    new_clip(page, before)
    assert at(page, "tau-value") == value
    assert page.locator("[data-dial=tau].sc-leads").count() == 1


def test_every_example_plays(page):
    cards = page.locator("#sc-examples button")
    assert cards.count() >= 2
    for k in range(cards.count()):
        before = clip_key(page)
        if k:
            cards.nth(k).click()
            new_clip(page, before)
        page.wait_for_function(
            "() => document.querySelector('#sc-video video')?.videoWidth > 0", timeout=30_000
        )
        moved = page.evaluate(
            """async () => {
              const video = document.querySelector('#sc-video video');
              video.muted = true;
              await video.play();
              await new Promise((done) => setTimeout(done, 700));
              video.pause();
              return video.currentTime;
            }"""
        )
        assert moved > 0


def test_the_graph_tab_draws_the_overlays_groups(page):
    page.get_by_role("tab", name="Graph").click()
    page.wait_for_function(
        "() => document.querySelector('#sc-network .js-plotly-plot')?.data?.length > 1"
    )
    line = page.locator("#sc-graph-line").inner_text()
    assert f"{kept(page):,} components" in line
    assert f"{int(at(page, 'middle').replace(',', '')):,} nodes" in line
    turn(page, "retention", 750)
    page.wait_for_function(
        "(n) => document.querySelector('#sc-graph-line').innerText.includes(n + ' components')",
        arg=f"{kept(page):,}",
    )


def test_a_click_on_the_curve_sets_both_dials(page):
    page.get_by_role("tab", name="Tokens").click()
    page.wait_for_function(
        "() => document.querySelector('#sc-curve .js-plotly-plot')?.data?.length > 2"
    )
    for name in ("funnel", "per_frame", "largest"):
        assert page.locator(f"#sc-{name} .js-plotly-plot").count() == 1
    before = kept(page)
    box = page.locator("#sc-curve .js-plotly-plot").bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.4 * box["height"])
    page.wait_for_function(f"() => scissor.last.redraw.counts[2] !== {before}")
    assert page.locator("[data-dial=tau].sc-leads").count() == 1


def test_stop_ends_the_answer_and_the_page_goes_on(page):
    page.click("#sc-run")
    page.click("#sc-stop")
    page.wait_for_selector("#sc-run:visible", timeout=60_000)
    assert side(page, "all").get_attribute("data-state") != "done"
    few_frames(page)
    run(page)
    answered(page)


def test_stop_shows_though_the_browser_hears_late_of_its_run(page):
    """Gradio's script joins updates that wait for a run's number; the first shows Stop."""
    for count in (8, 16):  # both encoded before, so that updates come thick and fast
        new_clip(page, few_frames(page, count))
    asked = []

    def late(route):
        asked.append(route)
        answer = route.fetch()
        time.sleep(0.15 if len(asked) > 1 else 0)  # the first opens the frames and their stream
        route.fulfill(response=answer)

    page.route("**/queue/join*", late)
    press = "() => setTimeout(() => document.querySelector('#sc-run').click())"
    page.evaluate(f"() => addEventListener('keydown', {press}, {{ once: true }})")
    few_frames(page, 8)
    page.wait_for_selector("#sc-stop:visible")
    page.wait_for_selector("#sc-run:visible")
    answered(page)


def test_bad_files_get_a_sentence_and_the_page_goes_on(page, clip, tmp_path):
    bad = {"text.mp4": b"no video at all\n" * 40, "cut.mp4": clip.read_bytes()[:900]}
    for name, content in bad.items():
        path = tmp_path / name
        path.write_bytes(content)
        upload(page, path)
        page.wait_for_selector("#sc-status .sc-bad")
        assert status(page).endswith(".")
        assert "Traceback" not in page.inner_text("body")
        assert "/tmp" not in status(page)
    before = clip_key(page)
    upload(page, clip)
    new_clip(page, before)
    assert page.locator("#sc-status .sc-bad").count() == 0


def test_a_picture_is_a_clip_of_one_frame(page, tmp_path):
    path, before = tmp_path / "still.png", clip_key(page)
    Image.new("RGB", (320, 180), (30, 120, 200)).save(path)
    page.locator("#sc-left input[type=file][accept*=image]").set_input_files(str(path))
    new_clip(page, before)
    assert at(page, "in") == "196"
    assert page.locator(".sc-strip img").count() == 1


def test_a_visitors_text_is_never_markup(page):
    wicked = "<img src=x onerror=\"document.title='owned'\"> ${document.title='owned'} {{value}}"
    few_frames(page)
    page.locator("#sc-question textarea").fill(wicked)
    run(page)
    assert wicked in at(page, "asked")
    assert page.title() == "Scissor"
    assert page.locator("#sc-answers img").count() == 0


def test_two_visitors_never_meet(open_page, clip):
    one, other = open_page(), open_page()
    start, mine = clip_key(other), mark(other)
    upload(one, clip)
    new_clip(one, start)
    turn(one, "retention", 800)
    other.wait_for_timeout(500)
    assert (clip_key(other), mark(other)) == (start, mine)
    handles = [p.evaluate("scissor.last.scene.handle") for p in (one, other)]
    assert handles[0] != handles[1]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(open_page, dark):
    page = open_page(width=390, height=844, dark=dark)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = [page.locator(part).bounding_box()["y"] for part in ORDER]
    assert heights == sorted(heights)
    assert heights[1] < 844  # what became of the clip, in numbers, is on the first screen
    for name in ("Graph", "Tokens", "Compare", "Live", "Export", "Overlay"):
        page.get_by_role("tab", name=name, exact=True).click()
        page.wait_for_timeout(800)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    assert page.locator("body.dark").count() == int(dark)
