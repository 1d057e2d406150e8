"""A training pack in miniature, made of the evaluation's pictures."""

import json

import pytest
from tinymini import NAMES

from scissor.scenes.library import EXAM
from scissor.training.album import Album
from scissor.training.pack import write

PICTURES, BACKGROUNDS = 14, 5


@pytest.fixture(scope="session")
def pack(tmp_path_factory):
    """The folder of a pack: 14 pictures, 5 places, 2 photographs."""
    index = json.loads((EXAM / "index.json").read_text(encoding="utf-8"))
    step = len(index["pictures"]) // PICTURES
    index["pictures"] = index["pictures"][::step][:PICTURES]
    places = index["backgrounds"]
    index["backgrounds"] = places[:: len(places) // BACKGROUNDS][:BACKGROUNDS]
    index["photographs"] = [
        {"name": name, "file": place["file"]}
        for name, place in zip(("pier", "owl"), places[1:3], strict=True)
    ]
    used = {picture["name"] for picture in index["pictures"]}
    index["names"] = {name: index["names"][name] for name in used}
    index["groups"] = [group for group in index["groups"] if used.issuperset(group)]
    index["shown"] = {scene: [n for n in ns if n in used] for scene, ns in index["shown"].items()}
    kinds = ("pictures", "backgrounds", "photographs")
    wanted = {entry["file"] for kind in kinds for entry in index[kind]}
    folder = tmp_path_factory.mktemp("pack")
    write(folder, [(f, (EXAM / f).read_bytes()) for f in sorted(wanted)], index, zipped=True)
    return folder


@pytest.fixture(scope="session")
def album(pack):
    return Album.read(pack, NAMES)
