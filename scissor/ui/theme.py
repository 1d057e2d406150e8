"""How the page looks and which scripts it carries.

Knows the theme, static/ and the order of its files. Leaves layout to page.py.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import gradio as gr

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("core", "paint", "dials", "viewer", "story", "answers", "clips", "curve")
STYLES = ("base", "parts")
SANS = ("IBM Plex Sans", (400, 700))
MONO = ("IBM Plex Mono", (400, 700))


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
    family = {
        "font": [gr.themes.LocalFont(SANS[0], weights=SANS[1]), "system-ui", "sans-serif"],
        "font_mono": [gr.themes.LocalFont(MONO[0], weights=MONO[1]), "ui-monospace", "monospace"],
    }
    return gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        text_size=gr.themes.sizes.text_md,
        **family,
    ).set(
        body_background_fill="var(--sc-paper)",
        body_background_fill_dark="var(--sc-paper)",
        body_text_color="var(--sc-ink)",
        body_text_color_dark="var(--sc-ink)",
        body_text_color_subdued="var(--sc-soft)",
        body_text_color_subdued_dark="var(--sc-soft)",
        block_background_fill="var(--sc-card)",
        block_background_fill_dark="var(--sc-card)",
        block_border_color="var(--sc-line)",
        block_border_color_dark="var(--sc-line)",
        block_shadow="none",
        block_label_background_fill="var(--sc-card)",
        block_label_background_fill_dark="var(--sc-card)",
        block_label_text_color="var(--sc-soft)",
        block_label_text_color_dark="var(--sc-soft)",
        block_title_text_color="var(--sc-ink)",
        block_title_text_color_dark="var(--sc-ink)",
        block_title_text_weight="600",
        block_info_text_color="var(--sc-soft)",
        block_info_text_color_dark="var(--sc-soft)",
        border_color_primary="var(--sc-line)",
        border_color_primary_dark="var(--sc-line)",
        input_background_fill="var(--sc-field)",
        input_background_fill_dark="var(--sc-field)",
        input_border_color="var(--sc-line)",
        input_border_color_dark="var(--sc-line)",
        input_placeholder_color="var(--sc-soft)",
        input_placeholder_color_dark="var(--sc-soft)",
        slider_color="var(--sc-blue)",
        slider_color_dark="var(--sc-blue)",
        button_primary_background_fill="var(--sc-blue)",
        button_primary_background_fill_dark="var(--sc-blue)",
        button_primary_background_fill_hover="var(--sc-blue-deep)",
        button_primary_background_fill_hover_dark="var(--sc-blue-deep)",
        button_primary_text_color="var(--sc-on-blue)",
        button_primary_text_color_dark="var(--sc-on-blue)",
        button_secondary_background_fill="var(--sc-field)",
        button_secondary_background_fill_dark="var(--sc-field)",
        button_secondary_text_color="var(--sc-ink)",
        button_secondary_text_color_dark="var(--sc-ink)",
    )
