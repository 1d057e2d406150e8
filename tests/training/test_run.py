"""The stages on the CPU in miniature: what learns, what the losses measure, what is written."""

import math
from multiprocessing import active_children

import numpy as np
import pytest
import torch
from tinymini import NAMES, tiny_mini

from scissor import mini
from scissor.mini.names import Names
from scissor.mini.quantise import plain_state, round_weight, spec_of
from scissor.models.mini import Mini
from scissor.scenes.dice import Dice
from scissor.training import align, launch, run
from scissor.training import desk as desks
from scissor.training.align import StageA
from scissor.training.data import Mixture
from scissor.training.desk import Clock, Desk, Plan
from scissor.training.launch import batches
from scissor.training.reduce import KINDS
from scissor.training.render import Atlas, paint
from scissor.training.run import StageB
from scissor.types import Encoded, cell_places

CPU = torch.device("cpu")
SHORT = Plan(minutes=(0.0, 0.0, 0.0), warm_up=1)


@pytest.fixture
def desk(album):
    model = tiny_mini().train().requires_grad_(True)
    tower = launch.quick_tower(tiny_mini().tower, CPU)
    names = Names(album.names, lambda text: model.tokenizer.encode(text, add_special_tokens=False))
    return Desk(model, tower, paint, Atlas.make(album.pictures, album.backgrounds), names, CPU)


def lots(desk, album, lengths, questions):
    options = {"frames": 8, "lengths": lengths, "questions": questions}
    return batches(desk, Mixture(album, desk.model.tokenizer, 3, **options), 0)


@pytest.fixture
def ticks(monkeypatch):
    """A clock that shows the given parts of a stage, one a step."""

    def wind(*parts):
        shown = iter([*parts, 1.0])
        monkeypatch.setattr(Clock, "part", lambda clock: next(shown))

    return wind


def test_aligning_lowers_its_loss_and_moves_the_reader_alone(desk, album, ticks):
    batch = next(lots(desk, album, {1: 1.0}, 0))
    before = {name: weight.clone() for name, weight in plain_state(desk.model).items()}

    def loss():
        with torch.no_grad():
            return float(align.align_loss(desk, *align.see(desk, batch), batch))

    first = loss()
    ticks(*[0.1] * 12)
    StageA(desk, Plan(rates=(0.0, 0.0, 1e-2, 0.0, 0.0), warm_up=1)).run(iter([batch] * 12))
    assert loss() < 0.9 * first
    for name, weight in plain_state(desk.model).items():
        if not name.startswith("reader"):
            assert torch.equal(weight, before[name]), name
    assert 0 <= desk.last["cells"] <= 1


def test_answering_learns_rounds_and_is_saved_as_it_was_trained(desk, album, ticks, tmp_path):
    stage = StageB(desk, SHORT)
    before = {name: weight.clone() for name, weight in plain_state(desk.model).items()}
    ticks(0.1, 0.9)
    stage.run(lots(desk, album, {4: 1.0}, 3), keep=lambda: None)
    assert (stage.step, stage.rounding) == (2, True)
    assert desk.last["loss"].isfinite()
    after = plain_state(desk.model)
    for part in ("reader", "place", "decoder"):
        mine = [name for name in after if name.startswith(part)]
        assert mine
        assert all(after[name].isfinite().all() for name in mine)
        assert any(not torch.equal(after[name], before[name]) for name in mine)
    launch.keep(desk, tmp_path)
    loaded = plain_state(mini.load(tmp_path))
    for name, weight in after.items():
        spec = spec_of(name, weight.shape, desk.model.config.bits)
        want = weight if spec is None else round_weight(weight, spec)
        assert torch.equal(loaded[name], want), name
    assert (loaded["decoder.model.norm.weight"] == after["decoder.model.norm.weight"]).all()


@torch.no_grad()
def test_the_answers_loss_is_what_the_model_scores_when_it_answers(desk, album):
    batch = Mixture(album, desk.model.tokenizer, 4, questions=1).batch(Dice(4), 3, 1)
    tokens, _ = align.see(desk, batch)
    place = cell_places(3, desk.model.config.grid)[None]
    loss = run.answer_loss(desk, tokens.flatten(1, 2), place, 3, batch)
    ids, answers = batch["ids"][0, 0], batch["answers"][0, 0]
    text = desk.model.tokenizer.decode(ids[: int(answers.nonzero().min())])
    question = text.removeprefix("\n").split("<|im_end|>")[0]
    answer = desk.model.tokenizer.decode(ids[answers], skip_special_tokens=True)
    adapter = Mini(desk.model.eval(), "tiny", CPU, torch.float32)
    grid = desk.model.config.grid
    encoded = Encoded(tokens[0].clone(), grid, np.arange(3.0), "tiny", "key")
    scores = adapter.score(encoded, None, question, answer)
    said = scores.gather(1, adapter.answer_ids(answer)[:, None])
    assert float(loss) == pytest.approx(-float(said.mean()), rel=1e-4)


def test_a_batch_that_shows_nothing_with_a_name_teaches_nothing(desk):
    tokens = torch.randn(1, 1, 16, 32, requires_grad=True)
    cover = torch.zeros(1, 1, 16, 5)
    cover[..., 4] = 1
    batch = {"name": torch.full((1, 4), -1), "back_name": torch.tensor([[-1]])}
    loss = align.align_loss(desk, tokens, cover, batch)
    loss.backward()
    assert loss == 0
    assert (tokens.grad == 0).all()


def test_every_reduction_is_met_and_all_tokens_as_often_as_planned():
    plan = Plan()
    drawn = [run.choose(8, 196, plan, torch.Generator().manual_seed(seed)) for seed in range(600)]
    assert {kind for kind, _ in drawn} == set(KINDS)
    assert sum(kind == "all" for kind, _ in drawn) / 600 == pytest.approx(plan.whole, abs=0.06)
    kept = [keep for kind, keep in drawn if kind != "all"]
    assert all(keep % 8 == 0 and 32 <= keep <= 8 * 196 for keep in kept)
    middle = math.sqrt(32 * 8 * 196)
    assert sum(keep < middle for keep in kept) / len(kept) == pytest.approx(0.5, abs=0.08)


def test_the_rate_warms_up_and_ends_low():
    assert desks.rate(0.0, 0, 100) == pytest.approx(0.01)
    assert desks.rate(0.0, 99, 100) == pytest.approx(1.0)
    assert desks.rate(1.0, 999, 100) == pytest.approx(0.02)


def test_no_minutes_are_over_at_once(desk):
    assert Clock(0.0, desk).part() == 1
    assert 0 <= Clock(5.0, desk).part() < 0.1


def test_a_clock_that_is_set_again_forgets_what_was(desk, monkeypatch):
    now = iter([0.0, 30.0, 40.0, 40.0])
    monkeypatch.setattr(desks.time, "monotonic", lambda: next(now))
    clock = Clock(1.0, desk)
    assert clock.part() == 0.5
    clock.set()
    assert clock.part() == 0


def test_going_onward_begins_with_what_is_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "load", tiny_mini)
    model = launch.begin(tmp_path, ["boat"], True)
    assert model.config.drawn == 1
    assert all(weight.requires_grad for weight in model.parameters())
    with pytest.raises(FileNotFoundError):
        launch.begin(tmp_path, ["boat"], False)


def test_gradients_are_shared_in_one_message(monkeypatch):
    weights = [torch.nn.Parameter(torch.zeros(*shape)) for shape in [(2, 3), (4,), (5,)]]
    grads = [torch.randn_like(weight) for weight in weights[:2]]
    for weight, grad in zip(weights, grads, strict=False):
        weight.grad = grad.clone()
    sent = []
    monkeypatch.setattr(desks.dist, "all_reduce", lambda flat: sent.append(flat.mul_(4)))
    desks.share_gradients(weights, 1)
    assert not sent
    desks.share_gradients(weights, 2)
    assert len(sent) == 1
    assert all(torch.equal(w.grad, 2 * g) for w, g in zip(weights, grads, strict=False))
    assert weights[2].grad is None


def _begin(folder, drawn, *how):
    return launch.widen(tiny_mini(), drawn)


def test_the_command_trains_all_stages_and_writes_a_model(pack, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(launch, "begin", _begin)
    monkeypatch.setattr(launch, "read_names", lambda folder: NAMES)
    plan = Plan(minutes=(0.005, 0.005, 0.005), warm_up=1, rounded=1.0)
    launch.work(0, 1, plan, pack, tmp_path, 4, 0)
    model = mini.load(tmp_path)
    assert all(weight.isfinite().all() for weight in plain_state(model).values())
    before = plain_state(tiny_mini())
    assert not torch.equal(plain_state(model)["reader.up.bias"], before["reader.up.bias"])


def test_all_workers_are_forked_before_anything_is_learned(pack, tmp_path, monkeypatch):
    before, there = len(active_children()), []

    class Idle:
        def __init__(self, *_):
            pass

        def run(self, *_):
            there.append(len(active_children()) - before)

    for stage in ("Naming", "StageA", "StageB"):
        monkeypatch.setattr(launch, stage, Idle)
    monkeypatch.setattr(launch, "begin", _begin)
    monkeypatch.setattr(launch, "read_names", lambda folder: NAMES)
    launch.work(0, 1, SHORT, pack, tmp_path, 4, 2)
    assert there == [6, 6, 6]


def _train(rank, pack, out):
    """One of two processes: all stages for a moment; its weights are left in `out`."""

    def keep(desk, out):
        torch.save(plain_state(desk.model), out / f"{rank}.pt")

    launch.begin = _begin
    launch.read_names = lambda folder: NAMES
    launch.keep = keep
    torch.set_num_threads(1)
    launch.work(rank, 2, Plan(minutes=(0.01, 0.01, 0.01), warm_up=1), pack, out, 4, 1)


def test_two_processes_train_one_model(pack, tmp_path):
    torch.multiprocessing.spawn(_train, (pack, tmp_path), nprocs=2)
    one, other = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())
    before = plain_state(tiny_mini())
    moved = ["reader.up.bias", "decoder.model.norm.weight"]
    assert not any(torch.equal(one[name], before[name]) for name in moved)
    assert one["tower.branch.classifier.weight"].any()  # it begins as zeros
