from time import sleep

import pytest
import torch

from scissor.stages import Stages


def test_stages_are_told_in_order_and_last_as_long_as_they_do():
    stages = Stages(torch.device("cpu"))
    sleep(0.02)
    stages.ended("first")
    stages.ended("second")
    seconds = stages.seconds()
    assert list(seconds) == ["first", "second"]
    assert seconds["first"] >= 0.02 > seconds["second"] >= 0


def test_a_gpu_is_waited_for_once(monkeypatch):
    """Events that happen 5 ms apart in the queue."""
    made, waited = [], []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing
            self.at = 5 * len(made)
            made.append(self)

        def record(self, stream):
            assert stream == "stream of cuda:3"

        def synchronize(self):
            waited.append(self)

        def elapsed_time(self, end):
            return end.at - self.at

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    stages = Stages(torch.device("cuda:3"))
    stages.ended("first")
    stages.ended("second")
    assert stages.seconds() == pytest.approx({"first": 0.005, "second": 0.005})
    assert waited == [made[-1]]
