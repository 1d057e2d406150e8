"""How the page looks and which scripts it carries.

Knows the theme, static/ and the order of its files. Leaves layout to page.py.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import gradio as gr

STATIC = Path(__file__).parent / "static"
SCRIPTS = (
    *("core", "paint", "pictures", "screen", "sweep"),
    *("dials", "viewer", "story", "answers", "clips", "curve"),
    *("links", "compare", "live"),
)
STYLES = ("base", "parts", "compare", "live")
SANS = ("IBM Plex Sans", (400, 700))
MONO = ("IBM Plex Mono", (400, 700))

COLOURS = {  # a variable of base.css -> the parts of Gradio's theme that wear it
    "paper": "body_background_fill",
    "card": "block_background_fill block_label_background_fill",
    "field": "input_background_fill button_secondary_background_fill",
    "line": "block_border_color border_color_primary input_border_color",
    "ink": "body_text_color block_title_text_color button_secondary_text_color",
    "soft": "body_text_color_subdued block_label_text_color block_info_text_color "
    "input_placeholder_color",
    "blue": "slider_color button_primary_background_fill",
    "blue-deep": "button_primary_background_fill_hover",
    "on-blue": "button_primary_text_color",
}


@cache
def static(name: str) -> str:
    """The text of a file in static/."""
    return (STATIC / name).read_text(encoding="utf-8")


def head() -> str:
    """Styles and scripts for the document's head, in order."""
    styles = "\n".join(static(f"{name}.css") for name in STYLES)
    scripts = "\n".join(static(f"{name}.js") for name in SCRIPTS)
    return f"<style>\n{styles}\n</style>\n<script>\n{scripts}\n</script>"


def theme() -> gr.themes.Base:
    """Ink on paper, one blue; corners and lines are thin so that the pictures have the colour."""
    look = gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        text_size=gr.themes.sizes.text_md,
        font=[gr.themes.LocalFont(SANS[0], weights=SANS[1]), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont(MONO[0], weights=MONO[1]), "ui-monospace", "monospace"],
    )
    # base.css gives every variable its light and its dark value, so both modes use the same names.
    ours = {name: f"var(--sc-{ours})" for ours, names in COLOURS.items() for name in names.split()}
    return look.set(
        **ours,
        **{f"{name}_dark": value for name, value in ours.items()},
        block_shadow="none",
        block_title_text_weight="600",
    )
