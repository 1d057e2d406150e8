import json
import subprocess
import sys
import types

import numpy as np
import pytest
import torch

from scissor import models
from scissor.__main__ import main
from scissor.export import read_tokens
from scissor.methods import METHODS
from scissor.models.pruning import selection
from scissor.types import Encoded, InDecoder, Video


class Model:
    name = "stand-in"
    max_frames = 16

    def encode(self, video, *, attention=False):
        generator = torch.Generator().manual_seed(0)
        seen = torch.rand(len(video.frames), 9, generator=generator) if attention else None
        frames = len(video.frames)
        tokens = torch.randn(1, 9, 4, generator=generator).repeat(frames, 1, 1)
        tokens = tokens + 0.1 * torch.randn(frames, 9, 4, generator=generator)
        return Encoded(tokens, (3, 3), np.arange(frames), self.name, "k", seen)

    def answer(self, encoded, kept, question, *, max_new_tokens, stop=None):
        if isinstance(kept, InDecoder):
            if kept.chosen is not None:
                kept.chosen(torch.arange(5))
            kept = selection(encoded, torch.arange(5))
        count = kept.kept if kept else encoded.tokens.shape[0] * 9
        yield from [f"{count} tokens", f" answer {question}"]

    def answer_ids(self, answer):
        return torch.arange(3)


@pytest.fixture
def clip(monkeypatch, tmp_path):
    """A clip on disk, read by a stand-in; the frames asked for are the frames it has."""
    video = types.ModuleType("scissor.video")

    def read_video(path, frames):
        if not path.endswith("clip.mp4"):
            raise ValueError("There is no such file;\nchoose another.")
        return Video(np.zeros((frames, 4, 4, 3), np.uint8), np.arange(frames), 2.0, "clip.mp4", "k")

    video.read_video = read_video
    monkeypatch.setitem(sys.modules, "scissor.video", video)
    monkeypatch.setattr(models, "load_model", lambda name: Model())
    return str(tmp_path / "clip.mp4")


def test_answer_prints_both_answers_with_tokens_and_times(clip, capsys):
    assert main(["answer", clip, "What?", "--retention", "0.25", "--frames", "4"]) == 0
    out = capsys.readouterr().out
    assert "clip.mp4: 4 frames, encoded by stand-in" in out
    assert "36 tokens -> " in out
    kept, everything = out.index("\nkept "), out.index("\nall ")
    assert kept < everything
    assert "36 tokens answer What?" in out[everything:]
    assert out.count("first word") == out.count("total") == 2


def test_compress_writes_tokens_and_prints_the_counts(clip, capsys, tmp_path):
    out = tmp_path / "tokens.safetensors"
    assert main(["compress", clip, "--retention", "0.25", "--out", str(out), "--frames", "4"]) == 0
    kept, rest = read_tokens(out)
    assert kept.counts[0] == 36
    assert kept.target == 9
    assert rest["model"] == "stand-in"
    assert f"{kept.kept} kept" in capsys.readouterr().out


@pytest.mark.parametrize("name", list(METHODS))
def test_any_method_answers_and_all_before_the_decoder_write_tokens(name, clip, capsys, tmp_path):
    few = [clip, "--method", name, "--retention", "0.5", "--frames", "4"]
    assert main(["answer", few[0], "What?", *few[1:]]) == 0
    told = capsys.readouterr().out
    assert "36 tokens -> " in told
    assert ("from layer 3 on" in told) == METHODS[name].inside
    out = tmp_path / "tokens.safetensors"
    if METHODS[name].inside:
        assert main(["compress", *few, "--out", str(out)]) == 2
        assert "in the decoder" in capsys.readouterr().err
    else:
        assert main(["compress", *few, "--out", str(out)]) == 0
        assert read_tokens(out)[0].method == name


def test_methods_are_named_and_thresholds_are_for_scc(clip, capsys):
    assert main(["answer", clip, "What?", "--method", "magic"]) == 2
    assert "no method magic; there are scc, " in capsys.readouterr().err
    assert main(["answer", clip, "What?", "--method", "pool", "--tau", "0.5"]) == 2
    assert "threshold" in capsys.readouterr().err


def test_a_threshold_is_used_as_given(clip, tmp_path):
    out = tmp_path / "tokens.safetensors"
    assert main(["compress", clip, "--tau", "0.9", "--out", str(out)]) == 0
    kept, _ = read_tokens(out)
    assert kept.tau_spatial == kept.tau_temporal == 0.9
    assert kept.target is None


def test_a_real_clip_goes_through_reading_and_compressing(monkeypatch, capsys, tmp_path):
    from PIL import Image

    monkeypatch.setattr(models, "load_model", lambda name: Model())
    pictures = [Image.new("RGB", (32, 24), (shade, 0, 0)) for shade in (0, 80, 160, 240)]
    clip, out = tmp_path / "red.gif", tmp_path / "tokens.safetensors"
    pictures[0].save(clip, save_all=True, append_images=pictures[1:], duration=100, loop=0)
    assert main(["compress", str(clip), "--tau", "0.5", "--frames", "3", "--out", str(out)]) == 0
    kept, rest = read_tokens(out)
    assert kept.counts[0] == 27
    assert rest["clip"] == "red.gif"
    clip.write_text("no clip at all")
    assert main(["compress", str(clip), "--tau", "0.5", "--out", str(out)]) == 2
    assert str(tmp_path) not in capsys.readouterr().err


BAD = [
    ["compress", "CLIP"],
    ["compress", "CLIP", "--retention", "0", "--out", "x"],
    ["compress", "CLIP", "--retention", "nan", "--out", "x"],
    ["compress", "CLIP", "--retention", "1.5", "--out", "x"],
    ["compress", "CLIP", "--tau", "2", "--out", "x"],
    ["compress", "CLIP", "--tau", "0.5", "--retention", "0.5", "--out", "x"],
    ["answer", "CLIP"],
    ["answer", "CLIP", "What?", "--frames", "none"],
    ["answer", "CLIP", "What?", "--frames", "0"],
    ["nonesuch"],
    [],
]


@pytest.mark.parametrize("argv", BAD, ids=" ".join)
def test_bad_arguments_are_one_line_and_code_two(clip, capsys, argv):
    with pytest.raises(SystemExit) as left:
        main([clip if word == "CLIP" else word for word in argv])
    assert left.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("scissor")


def test_what_goes_wrong_in_the_work_is_one_line_and_code_two(clip, capsys, monkeypatch, tmp_path):
    def no_model(name):
        raise models.ModelError("There is no such model.")

    nowhere = str(tmp_path / "no" / "tokens")
    assert main(["answer", "elsewhere", "What?"]) == 2
    assert main(["compress", clip, "--out", nowhere]) == 2
    assert main(["compress", clip, "--out", str(tmp_path)]) == 2
    monkeypatch.setattr(models, "load_model", no_model)
    assert main(["answer", clip, "What?"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[0] == "scissor: There is no such file; choose another."
    assert lines[-1] == "scissor: There is no such model."
    assert len(lines) == 4


def test_running_out_of_memory_is_one_line_too(clip, capsys, monkeypatch):
    def full(self, video):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(Model, "encode", full)
    assert main(["answer", clip, "What?"]) == 2
    assert capsys.readouterr().err.startswith("scissor: memory ran out;")


def test_bench_gets_its_own_arguments(monkeypatch):
    seen = []
    bench = types.ModuleType("scissor.bench")
    bench.main = lambda argv: seen.append(argv)
    monkeypatch.setitem(sys.modules, "scissor.bench", bench)
    assert main(["bench", "speed", "--help"]) == 0
    assert seen == [["speed", "--help"]]


def test_help_loads_nothing_heavy():
    code = (
        "import sys, json\nfrom scissor.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as left:\n    assert left.code == 0\n"
        "print(json.dumps(sorted({'torch', 'transformers', 'gradio'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
    for command in ("compress", "answer", "bench"):
        assert command in done.stdout
