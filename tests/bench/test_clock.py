from pathlib import Path
from time import sleep

import pytest
import torch

from scissor.bench.clock import Clock, machine, peak_memory

CPU = torch.device("cpu")


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
def test_peak_memory_is_what_the_call_needed_at_most():
    def call():
        torch.ones(2**24)  # 64 MiB, gone at once
        return torch.ones(2**20)

    memory, result = peak_memory(call, CPU)
    assert len(result) == 2**20
    assert 60 < memory < 90


def test_a_clock_of_the_processor_does_not_count_sleep():
    wall, processor = (Clock(CPU, kind) for kind in (False, True))
    assert wall.timed(lambda: sleep(0.2))[0] >= 200
    assert processor.timed(lambda: sleep(0.2))[0] < 150


def test_the_median_leaves_out_the_first_call_and_the_machine_is_named():
    calls = []
    assert Clock(CPU).median(lambda: calls.append(None), 5) >= 0
    assert len(calls) == 6
    assert "processor time" in machine(Clock(CPU, processor=True))
    assert "wall time" in machine(Clock(CPU))
