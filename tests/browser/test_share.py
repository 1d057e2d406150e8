"""Settings in a link: made, copied, opened by another visitor, bad values told."""

import pytest
from browser.driving import at, clip_key, kept, mark, new_clip, turn, upload

pytestmark = pytest.mark.browser


def link(page):
    return page.input_value("#sc-link")


@pytest.fixture
def arrive(chromium, url):
    """Another visitor, who opens the page by a link and waits for the clip it shows."""
    contexts = []

    def opened(query, example):
        context = chromium.new_context(viewport={"width": 1440, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.goto(query if query.startswith("http") else f"{url}/?{query}")
        page.wait_for_function(
            "(name) => window.scissor?.last.settings?.example === name && scissor.last.redraw"
            " && scissor.last.redraw.handle === scissor.last.scene?.handle"
            " && !document.querySelector('#sc-status .sc-busy')",
            arg=example,
        )
        return page

    yield opened
    for context in contexts:
        context.close()


def test_a_copied_link_restores_the_settings_elsewhere(page, arrive):
    before = clip_key(page)
    page.locator("#sc-examples button").nth(2).click()
    new_clip(page, before)
    before = clip_key(page)
    page.locator("#sc-count input[type=number]").fill("5")
    page.keyboard.press("Tab")
    new_clip(page, before)
    page.locator("#sc-question textarea").fill("Is there a <boat> & a sun?")
    turn(page, "retention", 650)
    page.wait_for_function("() => document.querySelector('#sc-link').value.includes('boat')")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("() => document.querySelector('[data-at=said]').textContent")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == link(page)

    other = arrive(copied, "scene_beach")
    other.wait_for_function("(mark) => scissor.last.redraw.mark === mark", arg=mark(page))
    assert clip_key(other) == clip_key(page)
    assert other.input_value("#sc-question textarea") == "Is there a <boat> & a sun?"
    assert other.input_value("#sc-count input[type=number]") == "5"
    assert other.locator("[data-dial=retention].sc-leads").count() == 1
    other.wait_for_function(
        "(link) => document.querySelector('#sc-link').value === link", arg=copied
    )


def test_a_threshold_in_the_link_leads(page, arrive):
    other = arrive("tau=0.9", "world")
    other.wait_for_function("() => scissor.last.redraw.lead === 'tau'")
    assert at(other, "tau-value") == "0.900"
    assert kept(other) != kept(page)
    assert "tau=0.9&" in link(other)


def test_bad_values_are_ignored_with_a_sentence(arrive):
    other = arrive("example=/etc/passwd&frames=999&retention=7&model=evil/repo&tau=x", "world")
    told = other.locator('[data-at="ignored"]')
    told.wait_for()
    for word in ("example", "frames", "retention", "model", "tau"):
        assert f"The link’s {word} is ignored" in told.inner_text()
    assert other.evaluate("scissor.last.redraw.asked") == 0.1
    assert other.input_value("#sc-count input[type=number]") == "16"


def test_an_uploaded_clip_is_said_not_to_be_in_the_link(page, clip):
    assert "example=world" in link(page)
    assert page.locator('[data-at="own"]').is_hidden()
    before = clip_key(page)
    upload(page, clip)
    new_clip(page, before)
    page.locator('[data-at="own"]').wait_for()
    assert "example" not in link(page)
    assert clip.name not in link(page)
