"""The hosted Space: what the Spacefile says, and whether the repository agrees with it.

Knows the Spacefile's fields, what Hugging Face Spaces accepts and which torch each hardware runs.
Leaves sending it to publish.py and printing to __main__.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from scissor.models import catalog
from scissor.video import Limits

ROOT = Path(__file__).resolve().parent.parent
ZERO = "zero-a10g"
FREE = {"cpu-basic": 172_800, ZERO: 172_800}
"""Hardware whose sleep cannot be set -> the seconds after which it sleeps."""
ZERO_PYTHON = ("3.10", "3.12")
CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"
CPU_TORCH = "2.13.0+cpu"
GPU_TORCH = "2.10.0"  # ZeroGPU ends at 2.11; from there on builds want CUDA 13 drivers
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
DESCRIPTION = 60
"""Characters of a description that the Space's card shows."""
FENCE = "---\n"


@dataclass(frozen=True)
class Space:
    """The Spacefile, field for field; `sleep` in seconds, `preload` catalog name -> files."""

    title: str
    emoji: str
    colours: list[str]
    description: str
    tags: list[str]
    licence: str
    sdk: str
    python: str
    hardware: str
    sleep: int
    default_model: str
    preload: dict[str, list[str]]
    variables: dict[str, str]
    secrets: list[str]
    limits: dict[str, float]


def read_space(root: Path = ROOT) -> Space:
    """The Spacefile in `root`. Raises ValueError where it is missing or not of Space's fields."""
    found = _yaml(read_text(root, "Spacefile"), "Spacefile")
    names = [field.name for field in fields(Space)]
    unknown, absent = sorted(found.keys() - set(names)), sorted(set(names) - found.keys())
    if unknown or absent:
        told = [f"knows no {name}" for name in unknown] + [f"lacks {name}" for name in absent]
        raise ValueError(f"The Spacefile {', '.join(told)}.")
    for name, hint in get_type_hints(Space).items():
        kind = get_origin(hint) or hint
        if not isinstance(found[name], kind) or isinstance(found[name], bool):
            raise ValueError(f"{name} in the Spacefile must be of type {kind.__name__}.")
    for name, value in found["variables"].items():
        if not isinstance(value, str):
            raise ValueError(f"The variable {name} in the Spacefile must be quoted.")
    return Space(**found)


def front_matter(space: Space) -> dict[str, Any]:
    """The README's YAML front matter, in its order."""
    found = {
        "title": space.title,
        "emoji": space.emoji,
        "colorFrom": space.colours[0],
        "colorTo": space.colours[-1],
        "sdk": "gradio",
        "sdk_version": space.sdk,
        "python_version": space.python,
        "app_file": "app.py",
        "pinned": False,
        "short_description": space.description,
        "license": space.licence,
        "suggested_hardware": space.hardware,
        "tags": space.tags,
        "models": _repositories([space.default_model, *space.preload]),
        "preload_from_hub": [
            " ".join([repository, ",".join(files)]).strip()
            for name, files in space.preload.items()
            for repository in _repositories([name])
        ],
    }
    return {key: value for key, value in found.items() if value != []}


def write_front_matter(root: Path = ROOT) -> None:
    """Put the Spacefile's front matter at the head of the README, in place of any other."""
    text = read_text(root, "README.md")
    body = text.split(FENCE, 2)[2] if text.startswith(FENCE) and text.count(FENCE) > 1 else text
    head = yaml.safe_dump(
        front_matter(read_space(root)), sort_keys=False, allow_unicode=True, width=10_000
    )
    (root / "README.md").write_text(f"{FENCE}{head}{FENCE}{body}", encoding="utf-8")


def disagreements(root: Path = ROOT) -> list[str]:
    """A line for everything in which Spacefile, README, requirements.txt and code disagree."""
    try:
        space = read_space(root)
        return [
            *_against_hub(space),
            *_against_readme(space, read_text(root, "README.md")),
            *_against_requirements(space, read_text(root, "requirements.txt")),
            *_against_limits(space),
        ]
    except ValueError as error:
        return [str(error)]


def requirements(text: str, hardware: str) -> str:
    """requirements.txt for the Space: torch pinned to the build that `hardware` runs.

    Raises ValueError if `text` names no torch, or excludes that build.
    """
    on_cpu = hardware.startswith("cpu")
    pin = CPU_TORCH if on_cpu else GPU_TORCH
    lines, found = [], False
    for line in text.splitlines():
        wanted = _requirement(line)
        if wanted is None or wanted.name != "torch":
            lines.append(line)
            continue
        if not wanted.specifier.contains(pin):
            raise ValueError(
                f"requirements.txt asks for torch{wanted.specifier}, but {hardware} gets {pin}."
            )
        lines += [CPU_INDEX] * on_cpu + [f"torch=={pin}"]
        found = True
    if not found:
        raise ValueError("requirements.txt names no torch.")
    return "\n".join(lines) + "\n"


def read_text(root: Path, name: str) -> str:
    """The text of a file of the repository. Raises ValueError where it cannot be read."""
    try:
        return (root / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"There is no readable {name} beside the package.") from None


def _against_hub(space: Space) -> Iterator[str]:
    from huggingface_hub import SpaceHardware

    if len(space.colours) != 2 or not set(space.colours) <= set(COLOURS):
        yield f"Spacefile: colours must be two of {', '.join(COLOURS)}."
    if len(space.description) > DESCRIPTION:
        yield f"Spacefile: the description is {len(space.description)} long; {DESCRIPTION} fit."
    if space.hardware not in {kind.value for kind in SpaceHardware}:
        yield f"Spacefile: the hub has no hardware {space.hardware}."
    if space.hardware == ZERO and space.python not in ZERO_PYTHON:
        yield f"Spacefile: ZeroGPU runs Python {' or '.join(ZERO_PYTHON)}, not {space.python}."
    sleep = FREE.get(space.hardware, space.sleep)
    if space.sleep != sleep:
        yield f"Spacefile: {space.hardware} sleeps after {sleep} s, not {space.sleep}."
    for name in dict.fromkeys([space.default_model, *space.preload]):
        if catalog.find(name) is None:
            yield f"Spacefile: the catalog has no model {name}."


def _against_readme(space: Space, text: str) -> Iterator[str]:
    if not text.startswith(FENCE) or text.count(FENCE) < 2:
        yield "README.md: there is no front matter."
        return
    wanted, found = front_matter(space), _yaml(text.split(FENCE, 2)[1], "README.md")
    for key in [*wanted, *(key for key in found if key not in wanted)]:
        if key not in found:
            yield f"README.md: {key} is missing; the Spacefile makes it {wanted[key]!r}."
        elif key not in wanted:
            yield f"README.md: {key} is not of the Spacefile's making."
        elif found[key] != wanted[key]:
            yield f"README.md: {key} is {found[key]!r}; the Spacefile makes it {wanted[key]!r}."


def _against_requirements(space: Space, text: str) -> Iterator[str]:
    pins = [line for line in map(_requirement, text.splitlines()) if line and line.name == "gradio"]
    if [str(pin.specifier) for pin in pins] != [f"=={space.sdk}"]:
        found = ", ".join(map(str, pins)) or "no gradio"
        yield f"requirements.txt: {found}; the Spacefile's sdk is {space.sdk}."
    try:
        requirements(text, space.hardware)
    except ValueError as error:
        yield str(error)


def _against_limits(space: Space) -> Iterator[str]:
    wanted = asdict(Limits())
    for name in [*wanted, *(name for name in space.limits if name not in wanted)]:
        here, there = space.limits.get(name, "missing"), wanted.get(name, "missing")
        if here != there:
            yield f"Spacefile: the limit {name} is {here}; in scissor/video.py it is {there}."


def _repositories(names: list[str]) -> list[str]:
    """The hub repositories of catalog names, each once; the embedded model has none."""
    entries = [catalog.find(name) for name in names]
    return list(dict.fromkeys(e.repository for e in entries if e and e.repository))


def _requirement(line: str) -> Requirement | None:
    """The requirement in a line of requirements.txt; None for comments and options."""
    try:
        return Requirement(line.split("#")[0].strip())
    except InvalidRequirement:
        return None


def _yaml(text: str, name: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{name}: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{name}: no names and values are there.")
    return found
