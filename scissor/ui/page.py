"""The page: what stands where, and which event calls what.

Knows Gradio. Leaves what happens to events.py, looks to theme.py and static/.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from scissor.ui import api, compare_tab, live, parts
from scissor.ui.default import default_model, opening_note
from scissor.ui.desk import Desk
from scissor.ui.events import Events
from scissor.ui.examples import CLIPS, WORLD, examples
from scissor.ui.export_tab import Exports, export_tab, wire
from scissor.ui.gpu import zero_gpu
from scissor.ui.guard import Guard
from scissor.ui.menu import local_models, model_choices, model_list, reasons
from scissor.ui.opening import FRAMES, Opening, open_page
from scissor.ui.remote import GpuShelf
from scissor.ui.theme import head, theme
from scissor.video import Limits

FORGET = (600, 7200)  # seconds: how often uploads are looked through, when they go
TABS = ("overlay", "graph", "tokens")
CHARTS = {
    "funnel": ("Where the tokens go", "All of the clip, after each step."),
    "curve": ("What every threshold keeps", "Click to set both dials. Dotted: after step 1."),
    "per_frame": ("Tokens a frame", "Kept, by the frame of their hub, in front of step 1's."),
    "largest": ("The largest groups", "Patches in each, in the overlay's colours."),
}


def build(desk: Desk | None = None, opening: Opening | None = None) -> gr.Blocks:
    """The whole page. desk: what serves it. opening: what it shows before anyone has asked."""
    desk = desk or Desk(shelf=GpuShelf() if zero_gpu() else None)
    opening = opening or open_page(desk)
    events = Events(desk, examples())
    with gr.Blocks(title="Scissor", analytics_enabled=False, delete_cache=FORGET) as page:
        parts.story()
        with gr.Row(elem_id="sc-main"):
            with gr.Column(elem_id="sc-left"):
                left = _left(events, opening)
            with gr.Column(elem_id="sc-right"):
                right = _right(events, opening)
        _wire(events, left, right)
        compare_tab.wire(desk, right["compare"], right["dials"], left["question"])
        api.publish(desk)
    return page.queue(default_concurrency_limit=8, max_size=64)


def launch_options() -> dict[str, Any]:
    """What `launch` needs: looks, the files it may serve, limits; runs stay with the visitor."""
    return {
        "theme": theme(),
        "head": head(),
        "footer_links": ["api", "gradio", "settings"],
        "allowed_paths": [str(CLIPS), str(WORLD)],
        "max_file_size": Limits().bytes,
        "run_history": False,
        "mcp_server": find_spec("mcp") is not None,  # where gradio[mcp] is installed
        "app_kwargs": {"middleware": [Middleware(Guard)]},
    }


def _left(events: Events, opening: Opening) -> dict[str, gr.Component]:
    cards = [
        {"title": e.title, "credit": e.credit, "picture": e.thumbnail} for e in events.examples
    ]
    default = default_model()
    return {
        "video": gr.Video(
            opening.path, label="Clip", sources=["upload"], height=210, elem_id="sc-video"
        ),
        "picture": gr.UploadButton(
            "… or a GIF or a picture",
            file_types=["image"],
            size="sm",
            elem_id="sc-picture",
            variant="secondary",
        ),
        "limits": parts.limits(),
        "pick": parts.examples(cards),
        "strip": parts.strip(),
        "question": gr.Textbox(
            opening.question,
            label="Question",
            info="mini knows things, that people are there, colours, corners, movement, what comes "
            "or goes. Busy natural scenes it mostly names wrongly.",
            lines=2,
            max_length=500,
            elem_id="sc-question",
        ),
        **_menu(default),
        "frames": gr.Slider(
            1,
            32,
            FRAMES,
            step=1,
            label="Frames",
            info="Sampled evenly, first and last included.",
            elem_id="sc-count",
        ),
        "status": parts.status(opening.status or {"text": opening_note(default)}),
        "run": gr.Button("Run", variant="primary", elem_id="sc-run"),
        "stop": gr.Button("Stop", visible=False, elem_id="sc-stop"),
        "links": parts.links(opening.question),
    }


def _menu(default: str) -> dict[str, gr.Component]:
    """The models to choose from, and what each needs."""
    why = reasons()
    choices, note = model_choices(why)
    typed = local_models()
    return {
        "model": gr.Dropdown(
            choices,
            value=default,
            label="Model",
            info=note,
            allow_custom_value=typed,
            elem_id="sc-model",
        ),
        "models": parts.models(model_list(why)),
    }


def _right(events: Events, opening: Opening) -> dict[str, gr.Component]:
    found = {"dials": parts.dials(opening.dials, events.move, events.scene)}
    with gr.Tabs(elem_id="sc-tabs"):
        with gr.Tab("Overlay", id="overlay") as overlay:
            found["viewer"] = parts.viewer(events.alike, events.weakest)
        with gr.Tab("Graph", id="graph") as graph:
            with gr.Row(elem_id="sc-graph-row"):
                found["layout"] = gr.Radio(
                    [("on the frames", "grid"), ("by forces", "force")],
                    value="force",
                    label="Layout",
                    info="Patches where they stand, or drawn together as they are linked.",
                )
                found["every"] = gr.Checkbox(
                    False,
                    label="all edges, not only the forest's",
                    info="The forest's are just those that make the components.",
                )
            found["line"] = gr.Markdown(elem_id="sc-graph-line")
            found["network"] = gr.Plot(show_label=False, elem_id="sc-network")
        with gr.Tab("Tokens", id="tokens") as tokens, gr.Column(elem_id="sc-tokens"):
            found |= {name: _chart(name, *words) for name, words in CHARTS.items()}
        with gr.Tab("Compare", id="compare"):
            found["compare"] = compare_tab.build()
        with gr.Tab("Live", id="live"):
            live.place(events.desk)
        with gr.Tab("Export", id="export") as found["export_tab"]:
            found["export"] = export_tab()
    found["answers"] = parts.answers(opening.answers)
    found |= {"tab": gr.State("overlay"), "tabs": (overlay, graph, tokens)}
    return found


def _chart(name: str, title: str, line: str) -> gr.Plot:
    with gr.Column(elem_classes="sc-chart"):
        gr.HTML(f"<h2>{title}</h2><p>{line}</p>", apply_default_css=False)
        return gr.Plot(show_label=False, elem_id=f"sc-{name}")


def _wire(events: Events, left: dict, right: dict) -> None:
    private = {"api_visibility": "private", "show_progress": "hidden"}
    model = {"concurrency_id": "model", "concurrency_limit": 1}
    source = [left["video"], left["model"], left["frames"], right["dials"]]
    shown = [right["dials"], left["status"], left["run"], left["stop"]]
    opening = {"concurrency_id": "open", "concurrency_limit": 2}  # a slow clip holds up no answer
    for change in (left["video"].change, left["model"].change, left["frames"].release):
        change(events.open, source, shown, **private, **opening)
    right["dials"].lost(events.open, source, shown, **private, **opening)
    # A browser's player shows no GIF, but the strip of sampled frames does. Handed over inside the
    # page: a video that a function returns, Gradio shows to the ffmpeg program, which is unbounded.
    left["picture"].upload(None, left["picture"], left["video"], js="(file) => [file]", **private)
    left["pick"].pick(events.pick, None, [left["video"], left["question"]], queue=False, **private)
    _wire_link(events, left, right, private | model)
    _wire_answers(events, left, right, private | model)
    _wire_figures(events, right, private)
    wire(Exports(events.desk, events.examples), left, right, right["export_tab"], private)
    left["question"].change(
        None, left["question"], None, js="(q) => { scissor.say('question', q); return []; }"
    )


def _wire_link(events: Events, left: dict, right: dict, how: dict) -> None:
    settings = [left["video"], left["question"], left["model"], left["frames"], right["dials"]]
    left["links"].arrive(events.arrive, settings, [*settings, left["status"], left["links"]], **how)


def _wire_answers(events: Events, left: dict, right: dict, how: dict) -> None:
    buttons = [left["run"], left["stop"]]
    out = [right["answers"], right["dials"], left["status"], *buttons]
    source = [left["video"], left["question"], left["model"], left["frames"], right["dials"]]
    gr.on([left["run"].click, left["question"].submit], events.run, source, out, **how)
    right["answers"].again(events.again, [right["dials"], right["answers"]], out, **how)
    left["stop"].click(events.stop, None, None, queue=False, api_visibility="private")


def _wire_figures(events: Events, right: dict, private: dict) -> None:
    source = [right[name] for name in ("tab", "dials", "viewer", "layout", "every")]
    figures = [
        right[name] for name in ("line", "network", "funnel", "per_frame", "largest", "curve")
    ]
    how = private | {"queue": False, "trigger_mode": "always_last"}
    for tab, name in zip(right["tabs"], TABS, strict=True):
        tab.select(lambda name=name: name, None, right["tab"], **private, queue=False).then(
            events.figures, source, figures, **how
        )
    for change in (right["dials"].release, right["layout"].change, right["every"].change):
        change(events.figures, source, figures, **how)
