import shutil

import pytest
import yaml
from packaging.requirements import Requirement

from scissor import space
from scissor.__main__ import main
from scissor.space import (
    CPU_INDEX,
    CPU_TORCH,
    GPU_TORCH,
    ROOT,
    disagreements,
    front_matter,
    read_space,
    requirements,
    write_front_matter,
)

FILES = ("README.md", "Spacefile", "requirements.txt")


@pytest.fixture
def copy(tmp_path):
    """The repository's own three files, to be spoilt."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def edit(root, name, old, new):
    text = (root / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
    (root / name).write_text(text.replace(old, new), encoding="utf-8")


def matter(root):
    return yaml.safe_load((root / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def rewrite(root, found):
    body = (root / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    head = yaml.safe_dump(found, allow_unicode=True)
    (root / "README.md").write_text(f"---\n{head}---\n{body}", encoding="utf-8")


def test_repository_agrees_with_its_spacefile():
    assert disagreements() == []


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("requirements.txt", "gradio==6.31.0", "gradio==6.30.0", "gradio==6.30.0"),
        ("requirements.txt", "gradio==6.31.0", "gradio>=6.31.0", "gradio>=6.31.0"),
        ("requirements.txt", "gradio==6.31.0\n", "", "no gradio"),
        ("requirements.txt", "torch>=2.8,<=2.13.0", "torch>=2.14", "2.13.0+cpu"),
        ("requirements.txt", "torch>=2.8,<=2.13.0\n", "", "no torch"),
        ("Spacefile", "bytes: 209715200", "bytes: 1", "limit bytes is 1"),
        ("Spacefile", "  frames: 256\n", "", "limit frames is missing"),
        ("Spacefile", "  frames: 256\n", "  frames: 256\n  hops: 3\n", "limit hops is 3"),
        ("Spacefile", "sleep: 172800", "sleep: 60", "sleeps after 172800 s, not 60"),
        ("Spacefile", "preload: {}", "preload: {x: []}", "no model x"),
    ],
)
def test_each_disagreement_is_one_line(copy, name, old, new, told):
    edit(copy, name, old, new)
    (line,) = disagreements(copy)
    assert told in line


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("sdk: 6.31.0", "sdk: 6.30.0", ["sdk_version", "gradio==6.31.0"]),
        ("[blue, gray]", "[blue, mauve]", ["colours", "colorTo"]),
        ("hardware: cpu-basic", "hardware: abacus", ["no hardware abacus", "suggested_hardware"]),
        ("description: See", f"description: {'x' * 60} See", ["short_description", "long; 60 fit"]),
    ],
)
def test_each_place_that_disagrees_has_its_line(copy, old, new, told):
    edit(copy, "Spacefile", old, new)
    lines = disagreements(copy)
    assert len(lines) == len(told)
    assert all(any(words in line for line in lines) for words in told)


def test_zerogpu_runs_few_pythons(copy):
    edit(copy, "Spacefile", "hardware: cpu-basic", "hardware: zero-a10g")
    write_front_matter(copy)
    assert disagreements(copy) == []
    edit(copy, "Spacefile", 'python: "3.12"', 'python: "3.11"')
    write_front_matter(copy)
    (line,) = disagreements(copy)
    assert "ZeroGPU runs Python 3.10 or 3.12, not 3.11" in line


@pytest.mark.parametrize("key", front_matter(read_space()))
def test_a_key_of_the_front_matter_is_missed_and_compared(copy, key):
    found = matter(copy)
    value = found.pop(key)
    rewrite(copy, found)
    (line,) = disagreements(copy)
    assert f"{key} is missing" in line
    rewrite(copy, found | {key: [value]})
    (line,) = disagreements(copy)
    assert key in line


def test_a_key_of_no_ones_making_is_told(copy):
    rewrite(copy, matter(copy) | {"pineapple": 1})
    (line,) = disagreements(copy)
    assert "pineapple" in line


@pytest.mark.parametrize("text", ["# Scissor\n", "---\ntitle: Scissor\n", "---\n: [\n---\n", ""])
def test_a_readme_without_front_matter_is_one_line(copy, text):
    (copy / "README.md").write_text(text)
    (line,) = disagreements(copy)
    assert line.startswith("README.md: ")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: Scissor", "titel: Scissor", "knows no titel, lacks title"),
        ("sleep: 172800", "sleep: long", "sleep in the Spacefile must be of type int"),
        ("sleep: 172800", "sleep: true", "sleep in the Spacefile must be of type int"),
        ('python: "3.12"', "python: 3.12", "python in the Spacefile must be of type str"),
        ('ENABLED: "False"', "ENABLED: false", "GRADIO_ANALYTICS_ENABLED"),
        ("title: Scissor", "title: [", "Spacefile: "),
    ],
)
def test_a_spacefile_of_other_fields_is_refused(copy, old, new, told):
    edit(copy, "Spacefile", old, new)
    with pytest.raises(ValueError, match="Spacefile") as caught:
        read_space(copy)
    assert told in str(caught.value)
    assert disagreements(copy) == [str(caught.value)]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_one_line_without_its_folder(copy, name):
    (copy / name).unlink()
    (line,) = disagreements(copy)
    assert name in line
    assert str(copy) not in line


@pytest.mark.parametrize("body", ["# Scissor\n", "\n# Scissor\n\n---\n\nMore\n\n---\nEnd", ""])
@pytest.mark.parametrize("head", ["", "---\ntitle: Old\n---\n"])
def test_written_front_matter_agrees_and_leaves_the_guide_alone(copy, head, body):
    (copy / "README.md").write_text(head + body, encoding="utf-8")
    for _ in range(2):
        write_front_matter(copy)
        text = (copy / "README.md").read_text(encoding="utf-8")
        assert text.split("---\n", 2)[2] == body
        assert text.startswith("---\ntitle: Scissor\nemoji: ✂️\n")
        assert disagreements(copy) == []


ONEVISION = "preload:\n  llava-onevision-0.5b: [config.json, model.safetensors]"


def test_mini_is_no_repository_of_the_hub(copy):
    edit(copy, "Spacefile", "default_model: llava-onevision-0.5b", "default_model: mini")
    assert "models" not in front_matter(read_space(copy))
    edit(copy, "Spacefile", "preload: {}", ONEVISION)
    found = front_matter(read_space(copy))
    assert found["models"] == ["llava-hf/llava-onevision-qwen2-0.5b-ov-hf"]


def test_preload_has_the_hubs_form(copy):
    """[repository] [file1,file2]: what the Space's build reads."""
    edit(copy, "Spacefile", "preload: {}", ONEVISION)
    (line,) = front_matter(read_space(copy))["preload_from_hub"]
    assert line == "llava-hf/llava-onevision-qwen2-0.5b-ov-hf config.json,model.safetensors"


@pytest.mark.parametrize(
    ("hardware", "pin"),
    [("cpu-basic", CPU_TORCH), ("cpu-upgrade", CPU_TORCH), ("zero-a10g", GPU_TORCH)],
)
def test_torch_is_pinned_for_the_hardware_and_nothing_else_changes(hardware, pin):
    before = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    after = requirements("\n".join(before), hardware).splitlines()
    added = [line for line in after if line not in before]
    assert added == [CPU_INDEX] * hardware.startswith("cpu") + [f"torch=={pin}"]
    gone = [line for line in before if line not in after]
    assert [Requirement(line).name for line in gone] == ["torch"]
    kept = [line for line in after if line in before]
    assert kept == [line for line in before if line not in gone]


def test_zerogpu_offers_the_pinned_torch():
    assert Requirement("torch>=2.8,<2.12").specifier.contains(GPU_TORCH)


def test_check_prints_a_line_each_and_exits_with_1(monkeypatch, capsys):
    assert main(["space", "check"]) == 0
    assert "agree" in capsys.readouterr().out
    monkeypatch.setattr(space, "disagreements", lambda: ["one", "two"])
    assert main(["space", "check"]) == 1
    assert capsys.readouterr().out == "one\ntwo\n"
