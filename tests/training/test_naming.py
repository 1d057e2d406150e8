"""The tower's lessons in miniature: what they move, what they keep, what counts as shown."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from tinymini import tiny_mini

from scissor.mini import build
from scissor.mini.quantise import plain_state, round_weight, spec_of
from scissor.scenes.dice import Dice
from scissor.training import launch, naming
from scissor.training.data import Mixture
from scissor.training.desk import Clock, Plan
from scissor.training.naming import Naming, pooled, rows
from scissor.training.shots import close_up


@pytest.fixture
def desk(album, monkeypatch):
    monkeypatch.setattr(naming, "SIDE", 64)
    model = launch.widen(tiny_mini().train().requires_grad_(True), album.drawn)
    return launch.set_up(album, model, 0, 1)


def close_ups(album, desk, frames=24):
    options = {"frames": frames, "lengths": {1: 1.0}, "questions": 0, "close": True}
    return Mixture(album, desk.model.tokenizer, 3, **options)


def test_naming_lowers_its_loss_and_moves_the_branch_alone(desk, album, monkeypatch):
    batch = next(iter(close_ups(album, desk)))
    assert bool(batch["natural"].any())
    before = {name: weight.clone() for name, weight in plain_state(desk.model).items()}
    stage = Naming(desk, Plan(rates=(2e-3, 2e-2, 0.0, 0.0, 0.0), warm_up=1), album)
    monkeypatch.setattr(naming, "ERASED", 0.0)
    monkeypatch.setattr(naming, "mixed", lambda x, y, z: (x, y, torch.arange(len(x)), 1.0))
    with torch.no_grad():
        first = float(stage.loss(batch))
    shown = iter([0.1] * 16 + [1.0])
    monkeypatch.setattr(Clock, "part", lambda clock: next(shown))
    stage.run(iter([batch] * 16))
    with torch.no_grad():
        assert float(stage.loss(batch)) < 0.95 * first
    assert 0 <= desk.last["right"] <= 1
    bits = desk.model.config.bits
    for name, weight in plain_state(desk.model).items():
        kept = before[name]
        if name.startswith("tower") and (spec := spec_of(name, weight.shape, bits)):
            assert torch.equal(weight, round_weight(weight, spec)), name
            kept = round_weight(kept, spec)
        if not name.startswith("tower.branch"):
            assert torch.equal(weight, kept), name
    moved = "tower.branch.head.weight"
    assert not torch.equal(plain_state(desk.model)[moved], before[moved])


def test_cells_beside_a_drawing_learn_that_they_show_none(desk, album):
    stage, branch = Naming(desk, Plan(), album), desk.model.tower.branch
    frames, thing = torch.rand(2, 64, 64, 3) * 255, torch.ones(2, 16)
    with torch.no_grad():
        assert float(stage.look(frames, thing)[1]) == 0
        thing[:, 5] = 0
        blank = float(stage.look(frames, thing)[1])
        branch.classifier.bias[-1] += 3
        assert float(stage.look(frames, thing)[1]) < blank - 1


def test_a_drawing_fills_its_cells_and_a_natural_picture_all(desk, album):
    batch = next(iter(close_ups(album, desk)))
    frames, thing = Naming(desk, Plan(), album).drawn(batch)
    assert frames.shape == (24, 64, 64, 3)
    natural = batch["natural"]
    assert (thing[natural] == 1).all()
    assert (thing[~natural].amax(1) > 0.05).all()
    assert (thing[~natural].mean(1) < 0.95).all()


def test_half_the_side_shows_the_same_at_half_the_size():
    frames, thing = torch.rand(3, 64, 64, 3), torch.rand(3, 16)
    small, cells = naming.halved(frames, thing)
    assert small.shape == (3, 32, 32, 3)
    torch.testing.assert_close(small[1, 5, 9], frames[1, 10:12, 18:20].mean((0, 1)))
    torch.testing.assert_close(cells[2, 3], thing[2, [10, 11, 14, 15]].mean())


def test_another_manner_changes_some_drawings_and_no_natural_picture():
    torch.manual_seed(0)
    frames = torch.randint(0, 256, (60, 16, 16, 3), dtype=torch.uint8)
    natural = torch.arange(60) % 3 == 0
    changed = naming.restyled(frames, natural)
    assert 0 <= changed.min() <= changed.max() <= 255
    apart = (changed - frames).abs().amax((1, 2, 3)) > 0.5
    assert not apart[natural].any()
    assert 0.4 < apart[~natural].float().mean() < 0.9  # 1 - 0.7 ** 3 = 0.66 of them
    every = torch.ones(60, dtype=torch.bool)
    torch.testing.assert_close(naming.restyled(frames, every), frames.float())


def test_few_shades_lie_near_and_lines_only_darken_where_colours_meet():
    torch.manual_seed(0)
    x = torch.rand(8, 3, 16, 16)
    flat = naming.flattened(x)
    assert all(len(shades.unique()) <= 8 for shades in flat.flatten(0, 1))
    assert (flat - x).abs().max() <= 0.25 + 1e-5
    halves = torch.full((4, 3, 16, 16), 0.9)
    halves[..., 8:] = 0.2
    lined = naming.outlined(halves)
    line = [7, 8]
    rest = [k for k in range(16) if k not in line]
    assert torch.equal(lined[..., rest], halves[..., rest])
    assert (lined[..., line] < halves[..., line]).all()


def test_a_random_filter_blends_a_picture_with_its_convolution():
    torch.manual_seed(0)
    x = torch.rand(3, 3, 8, 8)
    state = torch.get_rng_state()
    blended = naming.filtered(x)
    torch.set_rng_state(state)
    kernel = torch.randn(3, 3, 3, 3, 3) * 27**-0.5  # row, column, picture, to, from
    part = torch.rand(3, 1, 1, 1)
    for k in range(3):
        wide = torch.nn.functional.pad(2 * x[k : k + 1] - 1, (1, 1, 1, 1), mode="replicate")
        other = torch.nn.functional.conv2d(wide, kernel[:, :, k].permute(2, 3, 0, 1))
        want = (1 - part[k]) * x[k] + part[k] * (other[0] + 1) / 2
        torch.testing.assert_close(blended[k], want, atol=1e-5, rtol=1e-5)


def test_hidden_blocks_and_blends_leave_natural_pictures_alone():
    torch.manual_seed(0)
    frames = torch.rand(40, 32, 32, 3) * 255
    natural = torch.arange(40) % 4 == 0
    hidden = naming.erased(frames, natural)
    changed = (hidden != frames).any(-1).flatten(1).float().mean(1)
    assert (changed[natural] == 0).all()
    assert 0.2 < (changed[~natural] > 0).float().mean() < 0.6
    assert changed.max() < 0.2
    thing = torch.rand(40, 4)
    tried = [naming.mixed(frames, thing, natural) for _ in range(12)]
    assert {part == 1 for *_, part in tried} == {True, False}
    for both, cells, other, part in tried:
        assert 0.5 <= part <= 1
        torch.testing.assert_close(both, part * frames + (1 - part) * frames[other])
        torch.testing.assert_close(both[natural], frames[natural])
        assert (cells >= thing).all()


def test_a_drawn_names_row_is_its_own_and_other_names_have_none(album):
    row = rows(album)
    found = [int(row[album.where[name]]) for name in album.drawn]
    assert found == list(range(len(album.drawn)))
    others = [album.where[name] for name in album.names if name not in album.drawn]
    assert (row[others] == -1).all()
    assert row[-1] == -1


def test_a_name_of_many_pictures_is_expected_more_often(album):
    pictures = album.library.pictures
    library = replace(album.library, pictures=(*pictures, *4 * pictures[:1]))
    album = replace(album, library=library)
    logs = naming.prior(album)
    rng, seen = Dice(3), Counter()
    for _ in range(6000):
        seen.update(actor.name for actor in close_up(rng, album).scene.actors)
    share = torch.tensor([seen[name] for name in album.drawn]) / seen.total()
    torch.testing.assert_close(logs[:-1].softmax(0), share, atol=0.02, rtol=0)
    assert logs[-1] == 0
    assert float((logs[:-1].softmax(0) * logs[:-1]).sum()) == pytest.approx(0, abs=1e-5)
    assert logs[:-1].std() > 0


def test_pooled_is_the_mean_of_the_chosen_cells():
    seen = torch.randn(3, 5, 4)
    where = torch.tensor([[1, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]).bool()
    want = torch.stack([seen[0, [0, 2]].mean(0), seen[1].mean(0), torch.zeros(4)])
    torch.testing.assert_close(pooled(seen, where), want)


def test_a_close_up_shows_one_whole_drawing_or_a_natural_picture(album):
    shots = [close_up(Dice(5, k), album) for k in range(300)]
    single = [shot for shot in shots if shot.scene.actors]
    assert 0.7 < len(single) / 300 < 0.9
    assert any(shot.photo >= 0 for shot in shots)
    for shot in single:
        (actor,) = shot.scene.actors
        box = actor.box(0.5)
        assert min(box) >= -1e-3
        assert max(box) <= 1 + 1e-3
        assert 0.29 < max(actor.size) < 0.86
        assert actor.name == album.library.pictures[actor.picture].name


def test_a_widened_model_says_what_it_said(album):
    model = tiny_mini()
    wide = launch.widen(model, album.drawn).eval()
    frames = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    old, new = model.tower(frames), wide.tower(frames)
    few = model.config.evidence
    assert torch.equal(new.classes[..., :few], old.classes)
    torch.testing.assert_close(new.probabilities[..., :few], old.probabilities)
    share = torch.full_like(old.probabilities, 1 / (len(album.drawn) + 1))
    torch.testing.assert_close(new.probabilities[..., few:], share)
    assert (new.classes[..., few:] >= model.config.classes).all()
    assert wide.class_names == [*model.class_names, *album.drawn]
    assert launch.widen(wide, album.drawn) is wide


def test_a_branch_begins_with_the_rows_that_the_one_classifier_had(album):
    plain = tiny_mini(drawn=len(album.drawn))
    plain.class_names += album.drawn
    wide = launch.widen(plain, album.drawn)
    known, frames = wide.config.classes, torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    assert torch.equal(wide.tower.classifier.weight, plain.tower.classifier.weight[:known])
    assert torch.equal(wide.tower.branch.classifier.weight, plain.tower.classifier.weight[known:])
    wide.tower.config = replace(wide.config, mirror=0)
    torch.testing.assert_close(wide.tower(frames), plain.tower(frames))


def test_a_model_that_knows_the_names_keeps_them_as_its_cells_learn_to_share(album):
    known = launch.widen(tiny_mini(), album.drawn)
    alone = build(replace(known.config, gather=0), known.tokenizer, known.class_names)
    with torch.no_grad():
        alone.tower.branch.classifier.weight += 1
    wide = launch.widen(alone, album.drawn)
    assert wide.config == known.config
    had = plain_state(alone)
    for name, weight in plain_state(wide).items():
        if "gather" not in name:
            assert torch.equal(weight, had[name]), name
