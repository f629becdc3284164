from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.load import Load
from bench.processes import cpu_seconds
from bench.telemetry_cost import Cost, Turn, measure_cost


def turn(requests: int, cpu: float) -> Turn:
    return Turn(Load(requests, 0, 1.0, [0.001] * requests), cpu)


def test_ratios_are_medians_over_neighbouring_turns() -> None:
    bare = [turn(1000, 0.1), turn(400, 0.04), turn(1000, 0.1)]
    instrumented = [turn(250, 0.1), turn(100, 0.04), turn(10, 0.1)]  # the last one was disturbed
    cost = Cost(bare, instrumented)
    assert cost.throughput_ratio == 0.25
    assert cost.cpu_ratio == pytest.approx(0.25)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_cpu_time_is_that_of_the_process() -> None:
    before = cpu_seconds(os.getpid())
    times = os.times()
    assert before <= times.user + times.system + 0.02
    while cpu_seconds(os.getpid()) < before + 0.03:
        sum(range(10_000))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_both_rollers_answer_every_request_and_telemetry_costs_cpu() -> None:
    cost = measure_cost(rounds=1, seconds=0.5)
    loads = [turn.load for turn in cost.bare + cost.instrumented]
    assert [load.failed for load in loads] == [0, 0]
    assert 0 < cost.cpu_ratio < 1
