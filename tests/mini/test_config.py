"""The configuration's JSON."""

import json

import pytest
from tinymini import tiny_config

from scissor.mini import Config


def test_it_comes_back_as_it_was(tmp_path):
    for config in (Config(), tiny_config(), Config(glance=224)):
        config.write(tmp_path / "config.json")
        assert Config.read(tmp_path / "config.json") == config


def test_an_older_file_has_no_glance(tmp_path):
    Config(glance=224).write(tmp_path / "config.json")
    raw = json.loads((tmp_path / "config.json").read_text())
    del raw["glance"]
    (tmp_path / "config.json").write_text(json.dumps(raw))
    assert Config.read(tmp_path / "config.json").glance == 0


def test_an_unknown_word_is_refused(tmp_path):
    Config().write(tmp_path / "config.json")
    raw = json.loads((tmp_path / "config.json").read_text()) | {"wings": 2}
    (tmp_path / "config.json").write_text(json.dumps(raw))
    with pytest.raises(TypeError, match="wings"):
        Config.read(tmp_path / "config.json")
