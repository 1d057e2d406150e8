import shutil
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import create_autospec

import huggingface_hub
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from scissor.__main__ import main
from scissor.publish import BADGES, describe, plan, publish, sent_files
from scissor.space import ROOT, requirements, write_front_matter

SENT = {
    "README.md",
    "LICENSE",
    "Spacefile",
    "app.py",
    "requirements.txt",
    "assets/mini/model.safetensors",
    "scissor/__init__.py",
    "scissor/ui/static/core.js",
}
JUNK = {
    ".env",
    ".git/config",
    ".cache/blob",
    "notes.txt",
    "runs/speed.json",
    "tests/test_app.py",
    "tests/requirements.txt",
    "venv/lib/big.so",
    "assets/.DS_Store",
    "scissor/.secret",
    "scissor/__pycache__/space.cpython-312.pyc",
    "scissor/stray.pyc",
    "scissor/.ruff_cache/x",
}


@pytest.fixture
def checkout(tmp_path):
    """A small checkout with all that must not leave it."""
    root = tmp_path / ".checkout"  # a folder above may well be hidden
    for name in SENT | JUNK:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"what is in {name}\n")
    for name in ("README.md", "Spacefile", "requirements.txt"):
        shutil.copy(ROOT / name, root / name)
    (root / "scissor" / "link").symlink_to(root / ".env")
    return root


class Hub:
    """Stands in for the hub; every call must fit HfApi's own signature."""

    def __init__(self, hardware="cpu-basic", sleep=None, variables=()):
        self.api = create_autospec(HfApi, instance=True)
        self.api.create_repo.return_value = "https://huggingface.co/spaces/me/scissor"
        self.api.get_space_runtime.return_value = SimpleNamespace(
            hardware=hardware, requested_hardware=None, sleep_time=sleep
        )
        self.api.get_space_variables.return_value = {
            key: SimpleNamespace(value=value) for key, value in dict(variables).items()
        }
        self.api.upload_folder.side_effect = self._take
        self.files = {}

    def _take(self, *, folder_path, **_):
        files = (file for file in Path(folder_path).rglob("*") if file.is_file())
        self.files = {f.relative_to(folder_path).as_posix(): f.read_bytes() for f in files}

    @property
    def calls(self):
        return [name for name, *_ in self.api.mock_calls]


def on(checkout, hardware, sleep):
    """The checkout's Spacefile for other hardware."""
    file = checkout / "Spacefile"
    text = file.read_text().replace("hardware: cpu-basic", f"hardware: {hardware}")
    file.write_text(text.replace("sleep: 172800", f"sleep: {sleep}"))
    write_front_matter(checkout)
    return plan("me/scissor", checkout)


def test_only_the_page_and_the_package_are_sent(checkout):
    assert {file.as_posix() for file in sent_files(checkout)} == SENT


def test_a_checkout_with_a_part_missing_is_not_sent(checkout):
    (checkout / "LICENSE").unlink()
    with pytest.raises(ValueError, match="no LICENSE to send"):
        plan("me/scissor", checkout)


@pytest.mark.parametrize("name", ["scissor", "a/b/c", "me/", "/scissor", "me/sc issor", "me/-x--"])
def test_a_name_must_be_a_spaces(checkout, name):
    with pytest.raises(ValueError, match=r"OWNER/NAME|Repo id must"):
        plan(name, checkout)


def test_what_disagrees_is_not_published(checkout):
    (checkout / "README.md").write_text("# Scissor\n")
    with pytest.raises(ValueError, match=r"Not to be published: README\.md"):
        plan("me/scissor", checkout)


def test_the_upload_is_what_the_dry_run_lists(checkout, room):
    hub, planned = Hub(), plan("me/scissor", checkout)
    lines = list(describe(planned))
    listed = [line.split() for line in lines if line.endswith(tuple(SENT)) and line[0] == " "]
    assert publish(planned, hub.api) == "https://huggingface.co/spaces/me/scissor"
    assert {name: int(size.replace(",", "")) for size, name in listed} == {
        name: len(content) for name, content in hub.files.items()
    }
    assert hub.files.keys() == SENT
    for name in SENT - {"README.md", "requirements.txt"}:
        assert hub.files[name] == (checkout / name).read_bytes()
    sent = hub.files["requirements.txt"].decode()
    assert sent == requirements((checkout / "requirements.txt").read_text(), "cpu-basic")
    assert all(f"    {line}" in lines for line in sent.splitlines())


def test_the_readme_that_is_sent_carries_the_spaces_badges(checkout, room):
    hub = Hub()
    publish(plan("me/scissor", checkout), hub.api)
    sent, here = hub.files["README.md"].decode(), (checkout / "README.md").read_text()
    lines = [line for line in sent.splitlines() if line not in here.splitlines()]
    assert [line[:4] for line in lines] == ["[![O", "[![D"]
    assert lines[0].endswith("(https://huggingface.co/spaces/me/scissor)")
    assert lines[1].endswith("(https://huggingface.co/spaces/me/scissor?duplicate=true)")
    assert [line for line in here.splitlines() if line not in sent.splitlines()] == [BADGES]


def test_the_space_is_made_then_set_then_filled(checkout, room):
    hub = Hub()
    publish(plan("me/scissor", checkout), hub.api)
    assert hub.calls[0] == "create_repo"
    assert hub.calls[-1] == "upload_folder"
    made = hub.api.create_repo.call_args.kwargs
    assert made["repo_type"] == "space"
    assert made["space_sdk"] == "gradio"
    assert made["exist_ok"] is True
    assert hub.api.upload_folder.call_args.kwargs["repo_type"] == "space"
    assert hub.api.upload_folder.call_args.kwargs["delete_patterns"] == "*"
    assert {tuple(c.args) for c in hub.api.add_space_variable.call_args_list} == {
        ("me/scissor", "GRADIO_ANALYTICS_ENABLED", "False"),
        ("me/scissor", "HF_HUB_DISABLE_TELEMETRY", "1"),
    }
    hub.api.add_space_secret.assert_not_called()


def test_a_second_time_sets_nothing_again(checkout, room):
    there = {"GRADIO_ANALYTICS_ENABLED": "True", "HF_HUB_DISABLE_TELEMETRY": "1", "OWN": "kept"}
    hub = Hub(variables=there)
    publish(plan("me/scissor", checkout), hub.api)
    hub.api.add_space_variable.assert_called_once_with(
        "me/scissor", "GRADIO_ANALYTICS_ENABLED", "False"
    )
    hub.api.delete_space_variable.assert_not_called()
    hub.api.request_space_hardware.assert_not_called()
    hub.api.set_space_sleep_time.assert_not_called()


def test_paid_hardware_is_asked_for_with_its_sleep(checkout, room):
    hub = Hub("cpu-basic")
    publish(on(checkout, "t4-small", 900), hub.api)
    hub.api.request_space_hardware.assert_called_once_with("me/scissor", "t4-small", sleep_time=900)
    assert "torch==2.10.0" in hub.files["requirements.txt"].decode().splitlines()


@pytest.mark.parametrize(("there", "set_again"), [(3600, True), (900, False)])
def test_the_same_hardware_is_only_told_another_sleep(checkout, room, there, set_again):
    hub = Hub("t4-small", sleep=there)
    publish(on(checkout, "t4-small", 900), hub.api)
    hub.api.request_space_hardware.assert_not_called()
    assert hub.api.set_space_sleep_time.called is set_again


def test_free_hardware_is_asked_for_without_a_sleep(checkout, room):
    hub = Hub("cpu-basic")
    publish(on(checkout, "zero-a10g", 172_800), hub.api)
    hub.api.request_space_hardware.assert_called_once_with(
        "me/scissor", "zero-a10g", sleep_time=None
    )
    assert "--extra-index-url" not in hub.files["requirements.txt"].decode()


@pytest.mark.parametrize(
    "error", [HfHubHTTPError.__bases__[0]("no route"), OSError("no route")], ids=["http", "os"]
)
def test_a_hub_that_cannot_be_reached_is_a_sentence(checkout, room, error):
    hub = Hub()
    hub.api.create_repo.side_effect = error
    with pytest.raises(OSError, match="The hub did not take me/scissor: no route"):
        publish(plan("me/scissor", checkout), hub.api)


def test_dry_run_of_this_repository_asks_no_hub(monkeypatch, capsys):
    def no_hub(*_, **__):
        raise AssertionError("a dry run asks nothing of the hub")

    monkeypatch.setattr(huggingface_hub, "HfApi", no_hub)
    monkeypatch.setattr("socket.socket.connect", no_hub)
    assert main(["space", "publish", "me/scissor", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "torch==2.13.0+cpu" in told
    assert "assets/mini/model.safetensors" in told
    assert "tests/" not in told


def test_publish_tells_the_address_and_the_secrets(monkeypatch, capsys, room):
    hub = Hub()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda **_: hub.api)
    assert main(["space", "publish", "me/scissor"]) == 0
    told = capsys.readouterr().out
    assert "https://huggingface.co/spaces/me/scissor" in told
    assert "HF_TOKEN is not sent" in told
    assert main(["space", "publish", "scissor"]) == 2
