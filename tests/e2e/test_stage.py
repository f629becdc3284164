"""Each stage end to end with the real command: up, traffic, check; kill -9 of the stack; down.

One `up` a stage is shared by all its tests, which pytest runs in this file's order, stage by stage.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.stages.live_lessons import unanswered_commands, unanswered_queries

ROOT = Path(__file__).resolve().parents[2]
STAGES = sorted(int(file.parent.name.removeprefix("stage")) for file in ROOT.glob("stage*/docker-compose.yml"))
UP_SECONDS, SECONDS = 300, 60
pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Run:
    stage: int
    offset: int
    data: Path
    up: subprocess.CompletedProcess[str]

    def workshop(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return workshop(*arguments, offset=self.offset, data=self.data)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return state

    def service(self, name: str) -> dict[str, Any]:
        return next(each for each in self.state()["services"] if each["name"] == name)

    def get(self, port: int, path: str, **parameters: Any) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port + self.offset}{path}", params=parameters, timeout=10)

    def roll(self) -> str:
        """The trace id of a roll of our own."""
        trace_id = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
        url = f"http://127.0.0.1:{8001 + self.offset}/roll?die=fair"
        httpx.get(url, headers=headers, timeout=10).raise_for_status()
        return trace_id

    def log_lines(self, trace_id: str) -> list[str]:
        query = f'{{service_name="dice-roller"}} | trace_id="{trace_id}"'
        window = {"start": time.time_ns() - 600 * 10**9, "end": time.time_ns() + 10**9}
        answer = self.get(3100, "/loki/api/v1/query_range", query=query, **window).raise_for_status().json()
        return [line for stream in answer["data"]["result"] for _, line, *_ in stream["values"]]

    def knows(self, trace_id: str) -> bool:
        return self.get(3200, f"/api/v2/traces/{trace_id}").status_code == 200


def workshop(*arguments: str, offset: int, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workshop", *arguments, "--port-offset", str(offset), "--data-dir", str(data)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=UP_SECONDS, stdin=subprocess.DEVNULL, cwd=ROOT
    )


def processes_of(data: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words, environment = process.info["cmdline"] or [], process.info["environ"] or {}
        if str(data) in " ".join(words) or environment.get("WORKSHOP_DATA_DIR") == str(data):
            found.append(f"{process.pid} {' '.join(words)}")
    return found


def eventually(condition: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except (httpx.HTTPError, OSError, ValueError, KeyError, StopIteration):
            pass
        time.sleep(0.3)
    pytest.fail(f"not within {seconds:g} s: {what}")


@pytest.fixture(scope="module", params=STAGES, ids=lambda stage: f"stage{stage}")
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, next_offset: Callable[[], int]
) -> Iterator[Run]:
    stage, offset, data = request.param, next_offset(), tmp_path_factory.mktemp(f"stage{request.param}")
    up = workshop("up", str(stage), "--detach", "--traffic", "--check", offset=offset, data=data)
    yield Run(stage, offset, data, up)
    workshop("down", "--volumes", offset=offset, data=data)
    assert processes_of(data) == []


def test_up_traffic_and_check_succeed(run: Run) -> None:
    assert run.up.returncode == 0, f"{run.up.stdout}\n{run.up.stderr}"


def test_every_item_of_the_checklist_is_ticked(run: Run) -> None:
    result = json.loads((run.data / "check.json").read_text())
    assert (result["stage"], result["stack"], result["ok"]) == (run.stage, "pocket", True)
    assert [item for item in result["items"] if item["status"] != "pass"] == []
    groups = {item["group"] for item in result["items"]}
    assert groups >= {"Services", "Metrics", "Logs", "Traces", "Profiles", "Dashboard"}


def test_the_ui_has_the_result(run: Run) -> None:
    answer = run.get(3000, "/api/workshop/checklist").raise_for_status().json()
    assert (answer["stage"], answer["result"]["ok"]) == (run.stage, True)


def test_everything_is_healthy_and_gentle_traffic_goes_on(run: Run) -> None:
    states = {each["name"]: each["state"] for each in run.state()["services"]}
    assert states.pop("traffic") == "healthy"
    assert set(states.values()) == {"healthy"}
    expr = 'sum(rate(http_requests_total{job="dice-roller"}[20s])) > 0'
    eventually(lambda: run.get(9090, "/api/v1/query", query=expr).json()["data"]["result"], "traffic goes on")


def test_status_names_every_service(run: Run) -> None:
    status = run.workshop("status")
    assert status.returncode == 0
    for each in run.state()["services"]:
        assert each["name"] in status.stdout


def test_the_traffic_command_passes_flags_through(run: Run) -> None:
    done = run.workshop(
        *("traffic", str(run.stage), "--num-users", "3", "--max-rolls-per-user", "2"),
        *("--think-time-seconds", "0.1", "--duration-seconds", "30", "--json"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["requests"] == 6


def test_what_the_lesson_prints_has_an_answer(run: Run) -> None:
    eventually(lambda: not unanswered_queries(run.stage, run.get), "every query of the lesson finds something")
    assert unanswered_commands(run.stage, run.get) == []


def test_kill_9_of_the_stack_loses_no_log_line_and_no_data(run: Run) -> None:
    before = run.roll()
    eventually(lambda: run.knows(before) and run.log_lines(before), "the first roll's trace and log")
    restarts = run.service("pocket")["restarts"]
    time.sleep(1)  # what was taken in within the last second may be lost
    os.kill(run.service("pocket")["pid"], signal.SIGKILL)
    during = [run.roll() for _ in range(3)]
    eventually(lambda: run.service("pocket")["restarts"] > restarts, "pocket restarted")
    eventually(lambda: run.service("pocket")["state"] == "healthy", "pocket healthy")
    after = run.roll()
    for trace_id in (before, *during, after):
        lines = eventually(partial(run.log_lines, trace_id), f"log of {trace_id}")
        assert len(lines) == len(set(lines)), "a line came twice"
    assert run.knows(before)
    eventually(lambda: run.knows(after), "a trace after the restart")


def test_the_check_passes_again_after_that(run: Run) -> None:
    check = run.workshop("check", str(run.stage), "--json")
    assert check.returncode == 0, check.stdout
    assert json.loads(check.stdout)["ok"] is True


def test_down_leaves_no_process_and_the_data(run: Run) -> None:
    down = run.workshop("down")
    assert (down.returncode, down.stdout) == (0, f"Stopped stage {run.stage}.\n")
    assert processes_of(run.data) == []
    assert (run.data / "pocket").is_dir()
