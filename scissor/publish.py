"""Sending the hosted Space: which files, which settings, through huggingface_hub.

Knows what the Space is made of and in which order it changes. Leaves what it should be to space.py
and printing to __main__. There is no packages.txt: opencv's headless build asks nothing of the
system.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scissor.space import FREE, ROOT, Space, disagreements, read_space, read_text, requirements

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Tell = Callable[[str], object]
"""Hears a line for each thing done."""

SENT = ("README.md", "LICENSE", "Spacefile", "app.py", "requirements.txt", "assets", "scissor")
"""What the Space is made of; of folders everything but caches and dot-files."""

BADGES = "<!-- badges of the Space, written by `space publish` -->"
"""The README's line that becomes them: only a published Space has an address."""


def sent_files(root: Path = ROOT) -> list[Path]:
    """The files that the Space is made of, relative to `root`, in order of their names.

    Raises ValueError if one of SENT is missing.
    """
    absent = [name for name in SENT if not (root / name).exists()]
    if absent:
        raise ValueError(f"There is no {', '.join(absent)} to send; use a whole checkout.")
    found = [file for name in SENT for file in (root / name, *(root / name).rglob("*"))]
    names = [file.relative_to(root) for file in found if file.is_file() and not file.is_symlink()]
    return sorted(name for name in names if not _left_behind(name))


@dataclass(frozen=True)
class Plan:
    """What publishing sends: the files of `root`, but for those that are `rewritten` (by name)."""

    name: str
    root: Path
    space: Space
    files: list[Path]
    rewritten: Mapping[str, str]

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of every file as sent."""
        sizes = {file.as_posix(): (self.root / file).stat().st_size for file in self.files}
        return sizes | {name: len(text.encode()) for name, text in self.rewritten.items()}


def plan(name: str, root: Path = ROOT) -> Plan:
    """What `publish` would send to the Space `name` (owner/name); asks no network.

    Raises ValueError where the name is none or the repository disagrees with itself.
    """
    from huggingface_hub.utils import validate_repo_id

    if name.count("/") != 1:
        raise ValueError(f"{name!r} is no Space; write OWNER/NAME.")
    validate_repo_id(name)
    wrong = disagreements(root)
    if wrong:
        raise ValueError(f"Not to be published: {' '.join(wrong)}")
    space = read_space(root)
    rewritten = {
        "README.md": with_badges(read_text(root, "README.md"), name),
        "requirements.txt": requirements(read_text(root, "requirements.txt"), space.hardware),
    }
    return Plan(name, root, space, sent_files(root), rewritten)


def with_badges(readme: str, name: str) -> str:
    """The README with the badges of the Space `name` where BADGES stands."""
    images = "https://huggingface.co/datasets/huggingface/badges/resolve/main"
    space = f"https://huggingface.co/spaces/{name}"
    badges = (
        f"[![Open in Spaces]({images}/open-in-hf-spaces-sm.svg)]({space})",
        f"[![Duplicate this Space]({images}/duplicate-this-space-sm.svg)]({space}?duplicate=true)",
    )
    return readme.replace(BADGES, "\n".join(badges), 1)


def describe(plan: Plan) -> Iterator[str]:
    """Lines that tell all that `publish` would send."""
    space = plan.space
    sleep = "sleeps as free hardware does" if space.hardware in FREE else f"sleep {space.sleep} s"
    yield f"Space {plan.name}: Gradio {space.sdk}, {space.hardware}, {sleep}"
    yield from (f"variable {key}={value}" for key, value in space.variables.items())
    yield from (f"secret {key}: its name only, set by hand" for key in space.secrets)
    yield "requirements.txt, as sent:"
    yield from (f"    {line}" for line in plan.rewritten["requirements.txt"].splitlines())
    yield f"{len(plan.files)} files, {sum(plan.sizes.values()) / 1e6:.1f} MB:"
    yield from (f"{size:>12,}  {name}" for name, size in plan.sizes.items())
    yield "and removes every other file that the Space has"


def publish(plan: Plan, api: HfApi | None = None, tell: Tell = lambda line: None) -> str:
    """Create or update the Space; returns its address. The files go last.

    Files that the Space has beside these are removed, variables only added and set. api: stands in
    for the hub. Raises OSError if the hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    refused = (HfHubHTTPError.__bases__[0], OSError)  # the HTTP client's own, whichever it is
    api = api or HfApi(library_name="scissor")
    try:
        tell(f"Creating {plan.name}, if it is not there")
        address = api.create_repo(
            plan.name,
            repo_type="space",
            space_sdk="gradio",
            space_hardware=plan.space.hardware,
            exist_ok=True,
        )
        _set_variables(api, plan, tell)
        _set_hardware(api, plan, tell)
        tell(f"Sending {len(plan.files)} files")
        _upload(api, plan)
    except refused as error:
        raise OSError(f"The hub did not take {plan.name}: {error}") from error
    return str(address)


def _set_variables(api: HfApi, plan: Plan, tell: Tell) -> None:
    there = api.get_space_variables(plan.name)
    for key, value in plan.space.variables.items():
        if key not in there or there[key].value != value:  # each setting restarts the Space
            tell(f"Setting {key}={value}")
            api.add_space_variable(plan.name, key, value)


def _set_hardware(api: HfApi, plan: Plan, tell: Tell) -> None:
    wanted, runtime = plan.space.hardware, api.get_space_runtime(plan.name)
    sleep = None if wanted in FREE else plan.space.sleep
    if (runtime.requested_hardware or runtime.hardware or "cpu-basic") != wanted:
        tell(f"Asking for {wanted}")
        api.request_space_hardware(plan.name, wanted, sleep_time=sleep)
    elif sleep is not None and runtime.sleep_time != sleep:
        tell(f"Setting the sleep to {sleep} s")
        api.set_space_sleep_time(plan.name, sleep)


def _upload(api: HfApi, plan: Plan) -> None:
    with tempfile.TemporaryDirectory(prefix="scissor-space-") as room:
        for file in plan.files:
            target = Path(room, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(plan.root / file, target)
        for name, text in plan.rewritten.items():
            Path(room, name).write_text(text, encoding="utf-8")
        api.upload_folder(
            repo_id=plan.name,
            repo_type="space",
            folder_path=room,
            commit_message=f"Scissor on Gradio {plan.space.sdk}",
            delete_patterns="*",
        )


def _left_behind(name: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
    return hidden or name.suffix == ".pyc"
