"""The lmms-eval plugin, against a stand-in with the same abstract methods and way of loading."""

import abc
import importlib
import sys
import types
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from family_cases import CASES
from PIL import Image
from randomly import save_random
from tiny_tokenizer import build_tokenizer

from scissor.bench.lmms.runner import Runner, clip_of
from scissor.methods import METHODS
from scissor.models import load_model
from scissor.video import read_video

PLUGIN = "scissor.bench.lmms"
RETENTION = 0.35


class Lmms(abc.ABC):
    """What lmms-eval's own class asks of a model, and what it gives it."""

    def __init__(self):
        self.task_dict = {}
        self._rank, self._world_size = 0, 1

    @abc.abstractmethod
    def loglikelihood(self, requests): ...

    @abc.abstractmethod
    def generate_until(self, requests): ...

    @abc.abstractmethod
    def generate_until_multi_round(self, requests): ...

    @classmethod
    def create_from_arg_string(cls, arguments, more=None):
        given = dict(pair.split("=", 1) for pair in arguments.split(","))
        return cls(**given, **{k: v for k, v in (more or {}).items() if v is not None})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    tokenizer = build_tokenizer()
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return save_random(CASES["llava_onevision"].build(tokenizer), tokenizer, folder)


@pytest.fixture
def made(monkeypatch, folder):
    """The registered class, found the way lmms-eval finds it, made from --model_args."""
    for name in ("lmms_eval", "lmms_eval.api", "lmms_eval.api.model"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["lmms_eval.api.model"].lmms = Lmms
    monkeypatch.delitem(sys.modules, f"{PLUGIN}.models.scissor", raising=False)
    registered = importlib.import_module(f"{PLUGIN}.models").AVAILABLE_MODELS
    assert importlib.util.find_spec(f"{PLUGIN}.tasks").submodule_search_locations

    def make(arguments=f"method=scc,retention={RETENTION}", **more):
        module = importlib.import_module(f"{PLUGIN}.models.scissor")
        kind = getattr(module, registered["scissor"])
        return kind.create_from_arg_string(f"pretrained={folder},frames=4,{arguments}", more)

    yield make
    sys.modules.pop(f"{PLUGIN}.models.scissor", None)


@pytest.fixture
def documents(clip):
    return [{"video": str(clip), "answer": "a globe"}]


def request(context, second):
    return SimpleNamespace(args=(context, second, lambda row: [row["video"]], 0, "task", "test"))


def with_task(lm, documents):
    lm.task_dict = {"task": {"test": documents}}
    return lm


def test_answers_are_those_of_the_model_from_its_kept_tokens(made, folder, clip, documents):
    lm = with_task(made(batch_size=1, max_batch_size=None), documents)
    options = {"max_new_tokens": 6, "until": ["\n\n"], "do_sample": False}
    got = lm.generate_until([request("What?", options), request("Why?", options)])
    model = load_model(str(folder), device="cpu")
    encoded = model.encode(read_video(clip, frames=4))
    kept = METHODS["scc"](encoded, RETENTION)
    for question, answer in zip(("What?", "Why?"), got, strict=True):
        want = "".join(model.answer(encoded, kept, question, max_new_tokens=6))
        assert answer == want.split("\n\n")[0].strip()
    assert kept.kept < 4 * 9


def test_log_likelihoods_are_sums_along_the_answer(made, folder, clip, documents):
    lm = with_task(made("retention=1"), documents)
    wanted = lambda row: row["answer"]  # noqa: E731 - tasks hand over functions, or strings
    (total, greedy), (again, _) = lm.loglikelihood([request("Q", wanted), request("Q", "a globe")])
    model = load_model(str(folder), device="cpu")
    encoded = model.encode(read_video(clip, frames=4))
    ids = model.answer_ids("a globe")[:-1]
    scores = model.score(encoded, None, "Q", "a globe")[:-1]
    assert total == again == pytest.approx(float(scores.gather(1, ids[:, None]).sum()))
    assert not greedy
    first = model.score(encoded, None, "Q", "")[0].argmax()
    letter = model._tokenizer.decode([int(first)])
    if len(model.answer_ids(letter)) == 2:
        assert lm.loglikelihood([request("Q", letter)])[0][1]


def test_a_clip_is_encoded_once_for_its_questions(made, documents, monkeypatch):
    lm = with_task(made(), documents)
    encode, calls = lm.runner.model.encode, []
    monkeypatch.setattr(
        lm.runner.model, "encode", lambda *args, **more: calls.append(1) or encode(*args, **more)
    )
    lm.generate_until([request(f"{k}?", {"max_new_tokens": 1}) for k in range(3)])
    assert calls == [1]


@pytest.mark.parametrize("method", ["fastv", "visionzip", "uniform"])
def test_other_methods_and_pictures_answer_too(folder, method):
    runner = Runner(load_model(str(folder), device="cpu"), method, 0.5, 3)
    noise = np.random.default_rng(0).integers(0, 256, (5, 40, 52, 3), dtype=np.uint8)
    pictures = [Image.fromarray(frame) for frame in noise]
    assert isinstance(runner.answer(pictures, "What?", max_new_tokens=2), str)
    total, _ = runner.log_likelihood(pictures, "What?", "yes")
    assert total < 0


def test_pictures_become_a_clip_in_order():
    pictures = [Image.new("RGB", (8 + k, 6), (k, 0, 0)) for k in range(7)]
    clip = clip_of(pictures, 3)
    assert clip.frames.shape == (3, 6, 8, 3)
    assert clip.frames[:, 0, 0, 0].tolist() == [0, 3, 6]
    assert clip_of([np.full((4, 4, 3), 9, np.uint8)], 16).frames.shape == (1, 4, 4, 3)
    for wrong in ([], ["a.mp4", "b.mp4"], [pictures[0], "a.mp4"]):
        with pytest.raises(ValueError, match="one video, or pictures"):
            clip_of(wrong, 4)


def test_what_cannot_be_done_is_a_sentence(made, folder):
    with pytest.raises(ValueError, match="no method 'magic'"):
        made("method=magic")
    with pytest.raises(ValueError, match="retention must be above 0"):
        made("retention=0")
    with pytest.raises(ValueError, match="one request at a time"):
        made(batch_size=8)
    with pytest.raises(NotImplementedError):
        made().generate_until_multi_round([])
    assert made("dtype=bfloat16").runner.model._lm.dtype == torch.bfloat16
