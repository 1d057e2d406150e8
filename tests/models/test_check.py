"""The check's report, on a random-weight folder and on the embedded model's modules."""

import pytest
import torch
from family_cases import CASES
from randomly import save_random
from tinymini import tiny_mini

from scissor import check as checking
from scissor.__main__ import main
from scissor.check import CLIP, check
from scissor.models import load_model
from scissor.models.mini import Mini

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module", params=["smolvlm", "qwen2_5_vl", "qwen3_vl"])
def folder(request, tokenizer, tmp_path_factory):
    case = CASES[request.param]
    return save_random(
        case.build(tokenizer), tokenizer, tmp_path_factory.mktemp("models") / f"tiny-{case.name}"
    )


def test_a_random_folder_equals_transformers_own_path_and_is_called_random(folder, clip):
    heard = []
    report = check(str(folder), clip=clip, frames=4, max_new_tokens=5, tell=heard.append)
    assert report.equal
    assert report.gap < 1e-5
    assert report.model == f"{folder.name} (random weights)"
    counts = [report.answers[retention].kept for retention in (1.0, 0.5, 0.1)]
    assert counts[0] == report.answers[1.0].total
    assert counts[2] < counts[0]
    assert "Comparing with transformers' own path" in heard


def test_the_command_prints_a_table_to_paste(folder, clip, capsys):
    options = ["--clip", str(clip), "--frames", "2", "--max-new-tokens", "3"]
    assert main(["check", str(folder), *options, "--dtype", "float32"]) == 0
    out = capsys.readouterr().out
    assert "### scissor check" in out
    assert f"| model | {folder.name} (random weights) |" in out
    assert "token ids of transformers' own path" in out
    assert "cpu" in out
    assert f"transformers {__import__('transformers').__version__}" in out
    rows = [line for line in out.splitlines() if "% of" in line or " of " in line]
    assert len([row for row in rows if row.startswith(("| 100%", "| 50%", "| 10%"))]) == 3
    assert all(line.count(" | ") >= 1 for line in out.splitlines() if line.startswith("| "))
    assert str(folder.parent) not in out


def test_the_embedded_model_is_checked_too(clip, monkeypatch):
    tiny = Mini(tiny_mini(), "mini", torch.device("cpu"), torch.float32)
    monkeypatch.setattr(checking, "load_model", lambda name, **_: tiny)
    report = check("mini", clip=clip, frames=3, max_new_tokens=4)
    assert report.equal
    assert report.gap < 1e-5


def test_other_ids_are_told_and_the_command_fails(folder, clip, monkeypatch, capsys):
    model = load_model(str(folder), device="cpu")
    true_path = model.native

    def changed(*args):
        ids, first = true_path(*args)
        return [ids[0], ids[1] + 1, *ids[2:]], first

    monkeypatch.setattr(model, "native", changed)
    monkeypatch.setattr(checking, "load_model", lambda name, **_: model)
    options = ["--clip", str(clip), "--frames", "2", "--max-new-tokens", "4"]
    assert main(["check", str(folder), *options]) == 1
    out = capsys.readouterr().out
    assert "OTHER token ids than transformers' own path, from token 2 on" in out
    assert "--dtype float32" in out


def test_a_clip_that_is_none_and_a_model_that_is_none_are_sentences(folder, capsys):
    assert main(["check", str(folder), "--clip", "nowhere.mp4"]) == 2
    assert main(["check", "no such model"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err


def test_the_clip_that_comes_along_is_there():
    assert CLIP.is_file()
