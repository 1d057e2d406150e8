"""Splits the pictures, writes the training pack and the evaluation's pictures.

Knows which backgrounds are held out and how a library lies on disk (scissor/scenes/library.py reads
it). Leaves finding and rendering pictures to pictures.py and more.py, their choice to choice.py.

Run: python -m scissor.training.pack --out .training --eval assets/scenes
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from scissor.training import more, pictures
from scissor.training.choice import apart, choose, split
from scissor.training.fetch import fetch
from scissor.training.pictures import Cutout, Vocabulary
from scissor.training.sources import EMOJI, LICENCE, background_credit, write_sources

TRAIN_SIDE, EVAL_SIDE = 128, 192
TRAIN_SCENE, EVAL_SCENE = (512, 384), (640, 480)
EVAL_SCENES = 24

log = logging.getLogger(__name__)


def shrink(image: Image.Image, side: int) -> Image.Image:
    """No side longer than `side`, premultiplied while resizing, so that edges keep their colour."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = tuple(max(1, round(edge * scale)) for edge in image.size)
    return image.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")


def cover(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of the picture, scaled to fill `size` (width, height)."""
    scale = max(size[0] / image.width, size[1] / image.height)
    wide, high = (max(size[i], round(image.size[i] * scale)) for i in (0, 1))
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    image = image.resize((wide, high), Image.Resampling.LANCZOS)
    return image.crop((left, top, left + size[0], top + size[1]))


def webp(image: Image.Image, quality: int) -> bytes:
    """Lossy WebP with alpha."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, alpha_quality=quality, method=6)
    return out.getvalue()


def scenes(folders: dict[str, Path]) -> dict[str, list[dict]]:
    """Backgrounds and photographs without duplicates, the evaluation's marked `held`."""
    found: dict[str, list[dict]] = {"scenes": [], "photographs": []}
    for section, heading, package, place in pictures.read_backgrounds():
        data, image = pictures.load_background(package, place, folders)
        image = cover(image, EVAL_SCENE)
        row = {"heading": heading, "package": package, "place": place, "image": image}
        row["digest"] = hashlib.sha256(data).hexdigest()
        row["print"] = _fingerprint(image)
        found[section].append(row | background_credit(package, place, folders))
    _hold_out(found["scenes"])
    return found


def _fingerprint(image: Image.Image) -> np.ndarray:
    grey = np.asarray(image.convert("L").resize((16, 12), Image.Resampling.BOX), dtype=np.float64)
    return (grey - grey.mean()).ravel() / max(1e-6, np.sqrt(((grey - grey.mean()) ** 2).sum()))


def _hold_out(rows: list[dict]) -> None:
    """Marks EVAL_SCENES by digest, round by round over the headings; their twins get `twin`."""
    queues: dict[str, list[dict]] = {}
    for row in sorted(rows, key=lambda row: row["digest"]):
        if row["ship"]:
            queues.setdefault(row["heading"], []).append(row)
    order = [queue[k] for k in range(3) for queue in queues.values() if len(queue) > k]
    for row in order:
        held = [other for other in rows if other.get("held")]
        alike = any(abs(row["print"] @ other["print"]) > 0.85 for other in held)
        if len(held) < EVAL_SCENES and not alike:
            row["held"] = True
    for row in rows:
        row["twin"] = not row.get("held") and any(
            other.get("held") and abs(row["print"] @ other["print"]) > 0.9 for other in rows
        )


def write(folder: Path, files: Iterable[tuple[str, bytes]], index: dict, *, zipped: bool) -> int:
    """Writes index.json and the files, in one stored zip or one by one; returns bytes written.

    What an earlier run wrote there goes first; other files of the folder stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clear(folder)
    total = 0
    compact = {"separators": (",", ":")} if zipped else {"indent": 1}
    text = json.dumps(index, ensure_ascii=False, **compact)
    (folder / "index.json").write_text(text + "\n", encoding="utf-8")
    if zipped:
        with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
            for name, data in files:
                archive.writestr(zipfile.ZipInfo(name), data)
        return (folder / "pictures.zip").stat().st_size
    for name, data in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        total += len(data)
    return total


def clear(folder: Path) -> None:
    """Removes the library that lies in the folder: what its index lists, the zip and the index."""
    index = folder / "index.json"
    if not index.is_file():
        return
    listed = json.loads(index.read_text(encoding="utf-8"))
    for kind in ("pictures", "backgrounds", "photographs"):
        for entry in listed[kind]:
            (folder / entry["file"]).unlink(missing_ok=True)
        with suppress(OSError):  # not there, or someone else's files are in it
            (folder / kind).rmdir()
    (folder / "pictures.zip").unlink(missing_ok=True)
    index.unlink()


def build(
    cutouts: list[Cutout],
    rows: dict[str, list[dict]],
    side: int,
    size: tuple[int, int],
    quality: int,
) -> tuple[list[tuple[str, bytes]], dict]:
    """Files and index of one library; file names carry the name and six digits of the digest."""
    files, index = [], {"pictures": [], "backgrounds": [], "photographs": []}
    for picture in sorted(cutouts, key=lambda p: (p.name, p.digest)):
        image = shrink(picture.image, side)
        file = f"pictures/{picture.name.replace(' ', '-')}-{picture.digest[:6]}.webp"
        family = picture.family.split(":")[0]
        entry = {"name": picture.name, "file": file, "family": family}
        licence = LICENCE[picture.source.split(":")[0]]
        entry |= {"source": picture.source, "licence": licence} | _measures(image)
        index["pictures"].append(entry)
        files.append((file, webp(image, quality)))
    for kind, key in (("backgrounds", "scenes"), ("photographs", "photographs")):
        for row in sorted(rows[key], key=lambda row: (row["heading"], row["digest"])):
            heading = row["heading"].replace(" ", "-")
            file = f"{kind}/{heading}-{row['digest'][:6]}.webp"
            entry = {"scene" if kind == "backgrounds" else "name": row["heading"], "file": file}
            entry |= {"source": f"{row['package']}: {row['place']}"}
            index[kind].append(entry | {"licence": row["licence"], "author": row["author"]})
            files.append((file, webp(cover(row["image"], size), quality)))
    return files, index


def _measures(image: Image.Image) -> dict:
    """Size in pixels, the part of the box that is covered, and the mean colour there."""
    pixels = np.asarray(image, dtype=np.float64)
    alpha = pixels[..., 3] / 255
    tint = (pixels[..., :3] * alpha[..., None]).sum((0, 1)) / max(1e-6, alpha.sum())
    fill = round(float(alpha.mean()), 3)
    return {"size": list(image.size), "fill": fill, "tint": [int(c) for c in tint]}


def tints(drawings: Iterable[Cutout]) -> dict[str, np.ndarray]:
    """By name, the mean colour of its emoji."""
    found: dict[str, list] = {}
    for picture in drawings:
        if picture.family in EMOJI:
            found.setdefault(picture.name, []).append(_measures(picture.image)["tint"])
    return {name: np.mean(colours, 0) for name, colours in found.items()}


def describe(words: Vocabulary, used: set[str]) -> dict:
    """What an index says of names: other words, topic, which never meet, what a scene shows."""
    listed = {}
    for n in words.names:
        kinds = [kind for kind, names in words.grammar.items() if n.name in names]
        article = "an" if n.name[0] in "aeiou" and n.name not in ("ufo", "unicorn") else "a"
        article = "" if {"none", "plural"} & set(kinds) else "the" if "the" in kinds else article
        listed[n.name] = {"aliases": list(n.aliases), "topic": n.topic, "article": article}
        listed[n.name] |= {
            "plural": "plural" in kinds,
            "single": not {"plural", "many"} & set(kinds),
            "proper": "proper" in kinds,
        }
    groups = (sorted(group & used) for group in words.groups)
    shown = {scene: sorted(names & used) for scene, names in words.shown.items()}
    return {
        "names": {name: about for name, about in listed.items() if name in used},
        "groups": [group for group in groups if len(group) > 1],
        "shown": {scene: names for scene, names in shown.items() if names},
    }


def main(argv: list[str] | None = None) -> None:
    """Fetches what is missing, then writes both libraries."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(".training"), help="the training pack")
    parser.add_argument("--eval", type=Path, help="the evaluation's pictures (assets/scenes)")
    parser.add_argument("--cache", type=Path, default=Path(".cache/packages"))
    parser.add_argument("--most", type=int, default=6, help="training pictures a name")
    parser.add_argument("--side", type=int, default=TRAIN_SIDE, help="longest side of a cut-out")
    parser.add_argument("--quality", type=int, default=45)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folders = fetch(args.cache)
    words = pictures.read_names()
    words.names.extend(list(pictures.extras(words.names, folders)))
    held, train = split(list(pictures.cutouts(words.names, folders)))
    rows = scenes(folders)
    if args.eval:
        shipped = {"scenes": [r for r in rows["scenes"] if r.get("held")], "photographs": []}
        files, index = build(held, shipped, EVAL_SIDE, EVAL_SCENE, 80)
        index |= describe(words, {p.name for p in held})
        log.info("%s: %d bytes", args.eval, write(args.eval, files, index, zipped=False))
        write_sources(args.eval / "SOURCES.md", index)
    words = more.widen(words)
    train += apart(held, list(more.further(words.names, folders, tints(train))))
    rows["scenes"] = [r for r in rows["scenes"] if not r.get("held") and not r["twin"]]
    train = choose(train, args.most)
    files, index = build(train, rows, args.side, TRAIN_SCENE, args.quality)
    index |= describe(words, {p.name for p in train})
    size = write(args.out, files, index, zipped=True)
    log.info("%s: %d pictures, %d bytes", args.out, len(train), size)


if __name__ == "__main__":
    main()
