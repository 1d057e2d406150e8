"""What a visitor does and sees, in a few words."""

PAINTED = """(selector) => {
  const canvas = document.querySelector(selector);
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let k = 0; k < data.length; k += 4 * 97)
    colours.add(data[k] + ',' + data[k + 1] + ',' + data[k + 2] + ',' + data[k + 3]);
  return colours.size;
}"""


def painted(page, *names, colours=20):
    """Wait until the overlay, or the canvases named, show a picture: frames decode at leisure.

    colours: more than so many of those that are looked at differ.
    """
    for name in names or ("screen",):
        there = "document.querySelector(selector) !== null"  # the page may still be building it
        page.wait_for_function(
            f"(selector) => {there} && ({PAINTED})(selector) > {colours}", arg=f'[data-at="{name}"]'
        )


def at(page, name):
    """The text of a part of the page by its data-at name."""
    return page.locator(f'[data-at="{name}"]').first.inner_text()


def kept(page):
    return int(at(page, "kept").replace(",", ""))


def mark(page):
    return page.evaluate("scissor.last.redraw.mark")


def clip_key(page):
    return page.evaluate("scissor.last.redraw.clip")


def turn(page, dial, value, release=True):
    """Move a dial ("tau" or "retention") to a slider value and wait for the redraw."""
    before = page.evaluate("scissor.last.redraw.mark")
    page.evaluate(
        """([id, value, release]) => {
          const dial = document.querySelector(id);
          dial.value = value;
          dial.dispatchEvent(new Event('input', { bubbles: true }));
          if (release) dial.dispatchEvent(new Event('change', { bubbles: true }));
        }""",
        [f"#sc-{dial}", value, release],
    )
    page.wait_for_function("(mark) => scissor.last.redraw.mark !== mark", arg=before)
    page.wait_for_timeout(100)


def side(page, name):
    return page.locator(f'[data-side="{name}"]')


def answered(page):
    """Wait until both answers are complete."""
    page.wait_for_function(
        """() => ['all', 'kept'].every((side) =>
          document.querySelector(`[data-side="${side}"]`).dataset.state === 'done')""",
        timeout=180_000,
    )


def run(page):
    """Press Run; wait until the answers of this very run are complete."""
    for name in ("all", "kept"):
        side(page, name).evaluate("(side) => { side.dataset.state = 'before'; }")
    page.click("#sc-run")
    answered(page)
    page.wait_for_selector("#sc-run:visible")


def few_frames(page, count=4):
    """Ask for few frames, so that answers come quickly."""
    before = clip_key(page)
    page.locator("#sc-count input[type=number]").fill(str(count))
    page.keyboard.press("Enter")
    return before


def upload(page, path):
    """Put a file into the clip's place, taking away what is there."""
    if not page.locator("#sc-video input[type=file]").count():
        page.locator("#sc-video").get_by_label("Clear").last.click()
    page.locator("#sc-video input[type=file]").set_input_files(str(path))


def status(page):
    return page.locator("#sc-status p").inner_text()


def new_clip(page, before):
    """Wait until another clip than `before` is drawn."""
    page.wait_for_function("(key) => scissor.last.redraw.clip !== key", arg=before)
    page.wait_for_timeout(200)
