"""The evaluation's pictures: complete, small, credited, fit to be told apart."""

import json
import zipfile

import numpy as np
import pytest

from scissor.scenes.library import EXAM, Library, exam_library
from scissor.scenes.wordings import TEXTS

FREE = ("Apache-2.0", "MIT", "CC0", "CC-BY-", "LGPL-", "GPL-")


def test_every_file_is_there_credited_and_five_megabytes_are_enough():
    index = json.loads((EXAM / "index.json").read_text())
    files = {row["file"] for row in [*index["pictures"], *index["backgrounds"]]}
    found = {str(p.relative_to(EXAM)) for p in EXAM.rglob("*.webp")}
    assert files == found
    assert sum(p.stat().st_size for p in EXAM.rglob("*") if p.is_file()) < 5_000_000
    credits = (EXAM / "SOURCES.md").read_text()
    for row in [*index["pictures"], *index["backgrounds"]]:
        assert row["licence"].startswith(FREE)
        assert row["source"]
    for row in index["backgrounds"]:
        assert row["file"].split("/")[1] in credits
        assert row["author"] in credits
    for family in {row["family"] for row in index["pictures"]}:
        assert f"[{family}]" in credits


def test_one_held_out_picture_for_each_of_many_names():
    library = exam_library()
    assert len(library.words) >= 350
    assert set(library.by_name) == set(library.words)
    assert all(len(found) == 1 for found in library.by_name.values())
    assert len(library.backgrounds) >= 20


def test_what_the_index_says_of_a_picture_is_so():
    library = exam_library()
    for i in range(0, len(library.pictures), 25):
        pixels = np.asarray(library.read_picture(i), dtype=float)
        said = library.pictures[i]
        assert pixels.shape[1::-1] == said.size
        alpha = pixels[..., 3] / 255
        assert alpha.mean() == pytest.approx(said.fill, abs=0.02)
        tint = (pixels[..., :3] * alpha[..., None]).sum((0, 1)) / alpha.sum()
        assert np.abs(tint - said.tint).max() < 8
    for i in range(len(library.backgrounds)):
        assert library.read_background(i).size == (640, 480)


def test_enemies_are_mutual_and_cover_groups_and_shared_words():
    library = exam_library()
    for name, others in library.enemies.items():
        assert name in others
        assert all(name in library.enemies[other] for other in others)
    assert "police car" in library.enemies["car"]
    assert "sailboat" in library.enemies["speedboat"]
    assert "scissors" not in library.enemies["car"]


def test_names_are_short_lower_case_nouns():
    for word in exam_library().words.values():
        assert word.name == word.name.lower()
        assert 1 <= len(word.name.split()) <= 4
    assert exam_library().words["scissors"].phrase == "scissors"
    assert exam_library().words["ant"].phrase == "an ant"
    assert exam_library().words["santa claus"].definite == "santa claus"
    assert set(TEXTS)


def test_a_packed_library_reads_as_one_of_files(tmp_path):
    (tmp_path / "index.json").write_text((EXAM / "index.json").read_text())
    first = exam_library().pictures[0].file
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.write(EXAM / first, first)
    packed = Library.open(tmp_path)
    assert packed.read_picture(0).tobytes() == exam_library().read_picture(0).tobytes()


def test_a_folder_without_an_index_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        Library.open(tmp_path)
