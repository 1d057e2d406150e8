"""What training sees: names, answers and lengths are what the mixture promises."""

from collections import Counter
from itertools import groupby, islice
from types import SimpleNamespace

import pytest
import torch
from tinymini import NAMES

from scissor.mini.decoder import BEFORE, load_tokenizer
from scissor.mini.loading import shipped
from scissor.scenes.dice import Dice
from scissor.scenes.questions import KINDS
from scissor.scenes.scene import MOST_ACTORS, frame_times
from scissor.scenes.scoring import Reader, score
from scissor.training import asking, data, shots
from scissor.training.asking import questions
from scissor.training.data import LENGTHS, Mixture
from scissor.training.render import GHOST
from scissor.training.shots import shoot


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(shipped())


def mixture(album, tokenizer, seed=5, rank=0, **options):
    return Mixture(album, tokenizer, seed, rank, **{"frames": 16, "questions": 6} | options)


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_album_holds_what_the_pack_holds(album):
    assert album.pictures.shape == (14, 128, 128, 4)
    assert album.backgrounds.shape[0] == album.places + len(album.photographs) == 7
    assert set(NAMES) | {"pier", "owl", "red"} <= set(album.names)
    assert len(set(album.names)) == len(album.names)
    assert [album.names[album.where[name]] for name in NAMES] == NAMES


def test_shapes_of_a_batch(album, tokenizer):
    batch = mixture(album, tokenizer).batch(Dice(1), 4, 3)
    shapes = {name: tuple(value.shape) for name, value in batch.items()}
    actors = (3, MOST_ACTORS)
    assert shapes["box"] == (*actors, 4, 4)
    assert shapes["crop"] == (3, 4, 4)
    assert shapes["gain"] == (*actors, 6)
    assert shapes["picture"] == shapes["name"] == shapes["forced"] == shapes["flip"] == actors
    assert shapes["ids"] == shapes["answers"]
    assert shapes["ids"][:2] == (3, 6)
    assert shapes["ids"][2] % 8 == 0
    assert batch["box"].dtype == batch["light"].dtype == torch.float32
    assert batch["name"].max() < len(album.names)
    assert tokenizer.decode(batch["before"]) == BEFORE


def test_questions_and_answers_are_written_as_the_model_will_meet_them(
    album, tokenizer, monkeypatch
):
    asked = []
    monkeypatch.setattr(data, "careless", lambda rng, text: text)
    monkeypatch.setattr(data, "questions", lambda *a: asked.append(questions(*a)) or asked[-1])
    batch = mixture(album, tokenizer).batch(Dice(2), 4, 5)
    for b, row in enumerate(asked):
        for q, question in enumerate(row):
            ids, answers = batch["ids"][b, q], batch["answers"][b, q]
            said = f"{question.answer}<|im_end|>"
            told = f"\n{question.text}<|im_end|>\n<|im_start|>assistant\n"
            end = int(answers.nonzero().max()) + 1
            assert tokenizer.decode(ids[answers]) == said
            assert tokenizer.decode(ids[:end]) == told + said
            assert answers[end - int(answers.sum()) : end].all()
            assert (ids[end:] == tokenizer.pad_token_id).all()


def test_every_answer_is_right_by_the_evaluations_judge(album):
    reader, met, rng = Reader(album.library.words), Counter(), Dice(3)
    for _ in range(120):
        for question in questions(rng, album, shoot(rng, album), 8):
            met[question.kind] += 1
            if question.kind in KINDS:
                assert score(question, question.answer, reader) == 1, question
            elif question.kind == "place":
                assert question.answer in {place.scene for place in album.library.backgrounds}
    assert set(met) == {*KINDS, "place", "first", "doing", "many", "unknown", "vague", "somebody"}


def test_what_is_shown_is_what_is_named(album):
    rng, seen = Dice(4), Counter()
    for _ in range(150):
        shot = shoot(rng, album)
        rows = data.arrays(rng, album, shot, 4)
        if shot.photo >= 0:
            seen["photograph"] += 1
            assert (rows["back"] == album.places + shot.photo).all()
            assert album.names[rows["back_name"][0]] == album.photographs[shot.photo]
        for a, actor in enumerate(shot.scene.actors):
            assert album.names[rows["name"][a]] == actor.name
            worn = rows["forced"][a] >= 0
            if actor.picture == GHOST:
                seen["ghost"] += 1
                assert rows["natural"]
                assert worn
                assert rows["cloth"][a] == -1
                continue
            seen["worn" if worn else "drawn"] += 1
            assert not rows["natural"]
            drawn = album.library.pictures[rows["picture"][a]].name
            if worn:
                assert actor.name == NAMES[rows["forced"][a]]
                assert (rows["said"][a] == -1).all()
            else:
                seen["renamed"] += actor.name != drawn
                names = [album.drawn[row - len(NAMES)] for row in rows["said"][a]]
                assert names[:2] == [drawn, actor.name]
                assert rows["doubt"][a] == 0 or names[2] not in (drawn, actor.name)
            assert (rows["cloth"][a] >= 0) == worn
        assert (rows["picture"][len(shot.scene.actors) :] == -1).all()
        assert (rows["box"][len(shot.scene.actors) :, :, 0] < -999).all()
        names = [actor.name for actor in shot.scene.actors]
        assert len(set(names)) == len(names)
    assert min(seen[kind] for kind in ("photograph", "worn", "drawn", "renamed", "ghost")) > 3


def test_lengths_follow_the_mixture_and_fill_the_batch(album, tokenizer):
    many = mixture(album, tokenizer)
    met = Counter(many._length(at) for at in range(3000))
    for length, part in LENGTHS.items():
        assert met[length] / 3000 == pytest.approx(part, abs=0.03)
    for at, batch in enumerate(islice(many, 6)):
        clips, _, length, _ = batch["box"].shape
        assert length == many._length(at)
        assert clips == max(1, 16 // length)


def test_a_seed_gives_its_batches_again_and_ranks_differ_in_clips_alone(album, tokenizer):
    first, again, other, seed = (
        list(islice(mixture(album, tokenizer, *args), 3)) for args in ((5,), (5,), (5, 1), (6,))
    )
    assert all(equal(*pair) for pair in zip(first, again, strict=True))
    for mine, theirs in zip(first, other, strict=True):
        assert mine["box"].shape == theirs["box"].shape
        assert not torch.equal(mine["box"], theirs["box"])
    assert not equal(first[0], seed[0])


def test_workers_share_the_batches(album, tokenizer, monkeypatch):
    alone = list(islice(mixture(album, tokenizer), 5))
    for i in range(2):
        monkeypatch.setattr(
            data, "get_worker_info", lambda i=i: SimpleNamespace(id=i, num_workers=2)
        )
        for mine, batch in zip(mixture(album, tokenizer), alone[i::2], strict=False):
            assert equal(mine, batch)


def test_pictures_alone_come_without_questions(album, tokenizer):
    batch = next(iter(mixture(album, tokenizer, lengths={1: 1.0}, questions=0)))
    assert batch["box"].shape[::2] == (16, 1)
    assert "ids" not in batch


def test_a_film_shows_its_pictures_one_after_the_other_and_is_asked_about_all(album):
    films = [shot for k in range(400) if (shot := shoot(Dice(9, k), album)).cuts]
    reader, met = Reader(album.library.words), set()
    for k, shot in enumerate(films):
        rows = data.arrays(Dice(k), album, shot, 12)
        assert rows["natural"]
        each = 12 // len(shot.cuts)
        behind = [c.scene.background if c.photo < 0 else album.places + c.photo for c in shot.cuts]
        seen = [(back, len(list(run))) for back, run in groupby(rows["back"].tolist())]
        assert [back for back, _ in seen] == [back for back, _ in groupby(behind)]
        assert min(frames for _, frames in seen) >= each - 1
        shown = {album.photographs[cut.photo] for cut in shot.cuts if cut.photo >= 0}
        shown |= {actor.name for actor in shot.scene.actors}
        for actor in shot.scene.actors:
            there = [actor.box(time) is not None for time in frame_times(12)]
            assert sum(there) in (each - 1, each, each + 1)
        for question in questions(Dice(3, k), album, shot, 8):
            met.add(question.kind)
            if question.kind == "list":
                assert set(question.truth) == shown
            if question.kind in KINDS:
                assert score(question, question.answer, reader) == 1
            assert question.kind != "vague" or not shown
    assert {2, 3, 4} == {len(shot.cuts) for shot in films}
    assert met >= {"list", "describe", "vague", "first", "unknown"}


def test_somebody_who_passes_is_named_by_a_drawn_name_that_no_pixel_shows(album, monkeypatch):
    names = album.drawn[:2]
    monkeypatch.setattr(shots, "PASSING", names)
    monkeypatch.setattr(asking, "PERSONS", names)
    met, asked = Counter(), Counter()
    for k in range(600):
        shot = shoot(Dice(11, k), album)
        rows = data.arrays(Dice(k), album, shot, 4)
        ghosts = [a for a in shot.scene.actors if a.picture == GHOST]
        for actor, row in zip(ghosts, rows["forced"], strict=False):
            met["passing" if row >= len(NAMES) else "class"] += 1
            if row >= len(NAMES):
                assert actor.name == album.drawn[row - len(NAMES)]
                assert actor.name in names
                assert (rows["said"] == -1).all()
        if ghosts and not shot.cuts:
            told = {q.answer for q in questions(Dice(k), album, shot, 8) if q.kind == "somebody"}
            people = any(actor.name in names for actor in ghosts)
            assert told <= ({"yes"} if people else set())
            asked[people] += bool(told)
    assert met["passing"] / met.total() == pytest.approx(shots.PASSERS, abs=0.12)
    assert asked[True] > 3
