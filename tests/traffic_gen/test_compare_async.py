"""Stage 4's comparison: what it measures, by a clock that moves only while the roller rolls; what it refuses."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from typer.testing import CliRunner

SCRIPT = Path(__file__).resolve().parents[2] / "stage4/traffic-gen/compare_async.py"
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """Each roll takes a tenth of a second longer than the one before it."""

    now, rolls = 0.0, 0

    def perf_counter(self) -> float:
        return self.now

    def roll(self) -> None:
        self.rolls += 1
        self.now += self.rolls / 10


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    found = importlib.util.spec_from_file_location("compare_async", SCRIPT)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    monkeypatch.setattr(module, "tracing", nullcontext)
    monkeypatch.setattr(module, "require", lambda target, variable: None)
    return module


@pytest.fixture
def run(compare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs the script against a handler: exit code and everything it wrote."""

    def with_roller(roller: Handler, clock: Clock, *arguments: str) -> tuple[int, str]:
        client = httpx.Client(transport=httpx.MockTransport(roller), base_url="http://roller")
        monkeypatch.setattr(compare.httpx, "Client", lambda **settings: client)
        monkeypatch.setattr(compare, "time", clock)
        result = CliRunner().invoke(compare.app, arguments)
        return result.exit_code, result.output

    return with_roller


def roller(clock: Clock, batch_seconds: float) -> Handler:
    """Every third roll fails, and two of a batch."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/roll-async":
            clock.now += batch_seconds
            return httpx.Response(200, json={"rolls": [1] * 8, "failed": 2})
        clock.roll()
        failed = clock.rolls % 3 == 0
        return httpx.Response(500, json={"detail": "off"}) if failed else httpx.Response(200, json={"roll": 1})

    return answer


@pytest.mark.parametrize(("batch_seconds", "speedup"), [(1.0, 5.5), (5.5, 1.0), (11.0, 0.5)])
def test_both_ways_are_timed_and_their_failures_counted(
    run: Callable[..., tuple[int, str]], batch_seconds: float, speedup: float
) -> None:
    clock = Clock()
    code, output = run(roller(clock, batch_seconds), clock, "--times", "10", "--json")
    assert code == 0
    assert json.loads(output.splitlines()[-1]) == {
        "die": "fair",
        "times": 10,
        "sequential_seconds": 5.5,
        "sequential_failed": 3,
        "at_once_seconds": batch_seconds,
        "at_once_failed": 2,
        "slowest_single_roll_seconds": 1.0,
        "speedup": speedup,
    }


def test_the_table_has_both_ways(run: Callable[..., tuple[int, str]]) -> None:
    clock = Clock()
    code, output = run(roller(clock, 1.0), clock, "--times", "10")
    rows = {" ".join(line.split()[:-1]) for line in output.splitlines()}
    assert code == 0
    assert "Rolling at once is 5.5 times as fast." in output
    assert any("one by one" in row and "5.50" in row and "3" in row for row in rows), output


@pytest.mark.parametrize("path", ["/roll", "/roll-async"])
@pytest.mark.parametrize("status", [404, 503])
def test_no_roll_is_no_quick_roll(run: Callable[..., tuple[int, str]], path: str, status: int) -> None:
    clock = Clock()
    healthy = roller(clock, 1.0)

    def broken(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if request.url.path == path else healthy(request)

    code, output = run(broken, clock, "--times", "3", "--json")
    assert code == 1
    assert output.splitlines()[-1].startswith("compare_async: ")
    assert str(status) in output.splitlines()[-1]


def test_when_every_die_falls_all_are_counted(run: Callable[..., tuple[int, str]]) -> None:
    clock = Clock()

    def unlucky(request: httpx.Request) -> httpx.Response:
        clock.roll()
        return httpx.Response(500, json={"detail": "All 4 rolls failed."})

    _, output = run(unlucky, clock, "--times", "4", "--json")
    result = json.loads(output.splitlines()[-1])
    assert (result["sequential_failed"], result["at_once_failed"]) == (4, 4)


def test_without_a_roller_it_is_one_clear_line() -> None:
    command = [sys.executable, str(SCRIPT)]
    environment = os.environ | {"ROLLER_URL": "http://127.0.0.1:1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
