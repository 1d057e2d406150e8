import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import torch
from safetensors.torch import save_file

from scissor.models import machine


@pytest.fixture
def hub(monkeypatch):
    """A hub of our own: (set the address, set the status it answers with)."""
    from huggingface_hub import constants

    class Answer(BaseHTTPRequestHandler):
        status = 200
        heard = 0

        def do_HEAD(self):
            Answer.heard += 1
            self.send_response(Answer.status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    machine._answers.cache_clear()
    yield Answer
    server.shutdown()
    server.server_close()
    machine._answers.cache_clear()


@pytest.mark.parametrize(
    ("status", "reached"), [(200, True), (404, True), (403, False), (502, False)]
)
def test_a_hub_that_answers_is_reachable_a_gatekeeper_is_not(hub, status, reached):
    hub.status = status
    assert machine.hub_reachable() is reached


def test_the_hub_is_asked_once_a_minute(hub, monkeypatch):
    monkeypatch.setattr(machine.time, "monotonic", lambda: 600.0)
    assert machine.hub_reachable()
    assert machine.hub_reachable()
    assert hub.heard == 1
    monkeypatch.setattr(machine.time, "monotonic", lambda: 661.0)
    assert machine.hub_reachable()
    assert hub.heard == 2


def test_offline_asks_nobody(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert machine.offline()
    assert not machine.hub_reachable()
    assert hub.heard == 0


def test_a_hub_that_hangs_is_left_after_a_while(monkeypatch):
    released = threading.Event()

    def hang(*args, **kwargs):
        released.wait(20)
        raise OSError

    monkeypatch.setattr(machine.urllib.request, "urlopen", hang)
    monkeypatch.setattr(machine, "PATIENCE", 0.1)
    machine._answers.cache_clear()
    assert machine._answers("http://nowhere.invalid", 0) is False
    released.set()
    machine._answers.cache_clear()


def test_device_and_type():
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert machine.pick_device("cpu") == cpu
    assert machine.pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert machine.pick_dtype(cpu) == torch.float32
    assert machine.pick_dtype(gpu) == torch.bfloat16
    assert machine.pick_dtype(gpu, torch.float16) == torch.float16


def test_free_memory_is_a_plausible_number():
    free = machine.free_memory(torch.device("cpu"))
    assert free is None or 2**20 < free < 2**50


def test_parameters_are_counted_from_headers_over_all_shards(tmp_path):
    save_file({"a": torch.zeros(3, 4), "b": torch.zeros(())}, tmp_path / "one.safetensors")
    save_file(
        {"c": torch.zeros(5, dtype=torch.float16)},
        tmp_path / "two.safetensors",
        metadata={"format": "pt"},
    )
    index = {"weight_map": {"a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    files = machine.weight_files(tmp_path)
    assert [file.name for file in files] == ["one.safetensors", "two.safetensors"]
    assert machine.count_parameters(files) == 18
    (tmp_path / "two.safetensors").unlink()
    assert machine.weight_files(tmp_path) == []


def test_a_snapshot_counts_once_its_weights_are_there(tmp_path, monkeypatch):
    import huggingface_hub

    config = tmp_path / "config.json"
    config.write_text("{}")
    found = {"answer": None}
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda *_, revision: found["answer"]
    )
    assert machine.cached_snapshot("a/b") is None
    found["answer"] = str(config)
    assert machine.cached_snapshot("a/b") is None
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    assert machine.cached_snapshot("a/b") == tmp_path
