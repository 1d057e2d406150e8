"""The model menu in the real page: what runs here, and a folder of random weights called so."""

import pytest
from browser.driving import clip_key, few_frames, new_clip, run, side, status
from family_cases import CASES
from randomly import save_random
from tiny_tokenizer import build_tokenizer

from scissor.models import catalog

pytestmark = pytest.mark.browser


def test_a_folder_typed_into_the_menu_answers_as_random_weights(page, tmp_path):
    tokenizer = build_tokenizer()
    folder = tmp_path / "tiny-onevision"
    save_random(CASES["llava_onevision"].build(tokenizer), tokenizer, folder)
    page.locator("#sc-models summary").click()
    listed = page.locator("#sc-models li")
    assert listed.count() == len(catalog.ENTRIES)
    assert listed.first.inner_text().startswith("mini (embedded)")
    assert page.locator("#sc-models .sc-absent p").first.inner_text().endswith(".")

    new_clip(page, few_frames(page))
    before = clip_key(page)
    menu = page.locator("#sc-model input")
    menu.fill(str(folder))
    menu.press("Enter")
    new_clip(page, before)
    caution = "tiny-onevision (random weights): made for tests, its answers mean nothing."
    page.wait_for_function(
        "(words) => document.querySelector('#sc-status').innerText.includes(words)", arg=caution
    )
    run(page)
    for name in ("all", "kept"):
        assert "tiny-onevision (random weights)" in side(page, name).inner_text()
    assert caution in status(page)
