"""Stage 6 under faults: every usage event that the frontend's log has is stored, and stored once.

One run with real traffic through the pages; each fault lasts while the traffic goes on. The truth is the
frontend's own log file. What was seen is printed: `pytest tests/faults -s`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "stage6" / "traffic-gen"
OUTAGE_SECONDS = 20.0
SETTLE_SECONDS = 90.0  # the queue's longest pause between two attempts is 30 s
UP_SECONDS = 300
pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Stage:
    """A running stage 6 on ports of its own."""

    offset: int
    data: Path

    def workshop(self, *arguments: str) -> None:
        where = ("--port-offset", str(self.offset), "--data-dir", str(self.data))
        command = [sys.executable, "-m", "workshop", *arguments, *where]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=UP_SECONDS)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}\n{done.stderr}"

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port + self.offset}"

    def service(self, name: str) -> dict[str, Any]:
        state = json.loads((self.data / "run.json").read_text())
        return next(each for each in state["services"] if each["name"] == name)

    def emitted(self) -> dict[str, str]:
        """Usage lines of the frontend's log by event id. A line that is still being written has no end yet."""
        whole = (self.data / "logs" / "frontend.log").read_text().rpartition("\n")[0]
        lines = [line for line in whole.splitlines() if '"event_id"' in line]
        events = {json.loads(line)["event_id"]: line for line in lines}
        assert len(events) == len(lines)
        return events

    def stored(self) -> Counter[str]:
        found: Counter[str] = Counter()
        query: dict[str, str | int] = {"limit": 1000}
        while (
            page := httpx.get(f"{self.url(8003)}/usage/events", params=query, timeout=10).raise_for_status().json()
        ):
            found.update(event["event_id"] for event in page)
            query["after"] = page[-1]["event_id"]
        return found

    def metric(self, name: str) -> float:
        """Of usage-service, all labels together, since it started."""
        lines = httpx.get(f"{self.url(8003)}/metrics", timeout=10).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """Eight people at the page, some five events a second."""
        settings = {
            "NUM_USERS": "8",
            "THINK_TIME_SECONDS": "0.5",
            "MAX_ROLLS_PER_USER": "0",
            "DURATION_SECONDS": "0",
        }
        where = {"FRONTEND_URL": self.url(8501), "OTEL_EXPORTER_OTLP_ENDPOINT": self.url(4318)}
        command = [sys.executable, "generate_traffic.py", "--json"]
        process = subprocess.Popen(
            command, cwd=SCRIPTS, env=os.environ | settings | where,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)

    def script(self, name: str, *arguments: str) -> tuple[int, dict[str, Any]]:
        """A script of the lesson: its exit code and what it prints as JSON."""
        where = {
            "LOKI_URL": self.url(3100),
            "PROMETHEUS_URL": self.url(9090),
            "USAGE_SERVICE_URL": self.url(8003),
            "DIE_SERVICE_URL": self.url(8002),
        }
        run = {"PORT_OFFSET": str(self.offset), "WORKSHOP_DATA_DIR": str(self.data)}
        done = subprocess.run(
            [sys.executable, name, "--json", *arguments],
            cwd=SCRIPTS, env=os.environ | where | run, capture_output=True, text=True, timeout=SETTLE_SECONDS + 60,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, next_offset: Callable[[], int]) -> Iterator[Stage]:
    made = Stage(next_offset(), tmp_path_factory.mktemp("faults"))
    made.workshop("up", "6", "--detach")
    yield made
    made.workshop("down", "--volumes")


def eventually(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (httpx.HTTPError, OSError, ValueError, StopIteration):
            pass
        time.sleep(0.2)
    pytest.fail(f"not within {seconds:g} s: {what}")


def events_flow(stage: Stage) -> None:
    """Until traffic has brought some events since now."""
    before = len(stage.emitted())
    eventually(lambda: len(stage.emitted()) >= before + 10, "the traffic brings usage events")


def stopped_for_a_while(stage: Stage, service: str) -> int:
    """Under traffic: stop, wait, start. How many events were emitted meanwhile."""
    with stage.traffic():
        events_flow(stage)
        stage.workshop("stop", service)
        before = len(stage.emitted())
        time.sleep(OUTAGE_SECONDS)
        meanwhile = len(stage.emitted()) - before
        stage.workshop("start", service)
        events_flow(stage)
    return meanwhile


def nothing_is_lost_or_doubled(stage: Stage, fault: str, meanwhile: int) -> None:
    emitted = stage.emitted()
    eventually(lambda: stage.stored() == Counter(emitted.keys()), f"all is stored after: {fault}", SETTLE_SECONDS)
    code, audit = stage.script("usage_audit.py", "--wait-seconds", str(SETTLE_SECONDS))
    again = stage.metric("usage_events_duplicate_total")
    seen = f"{len(emitted)} events emitted so far, {meanwhile} during the fault; {audit['stored']} stored"
    print(f"\n{fault}: {seen}; {again:g} came again since usage-service started")
    assert (code, audit["good"]) == (0, True), audit
    assert audit["stored"] == len(emitted)


def test_usage_service_down_for_a_while(stage: Stage) -> None:
    meanwhile = stopped_for_a_while(stage, "usage-service")
    assert meanwhile > 10
    nothing_is_lost_or_doubled(stage, f"usage-service down for {OUTAGE_SECONDS:g} s", meanwhile)


def test_its_database_down_for_a_while(stage: Stage) -> None:
    meanwhile = stopped_for_a_while(stage, "postgres")
    assert meanwhile > 10
    failed = [line for line in stage.emitted().values() if '"status":503' in line]
    assert failed, "the dice come from the database, too: rolls failed, and those are events as well"
    nothing_is_lost_or_doubled(stage, f"the database down for {OUTAGE_SECONDS:g} s", meanwhile)


def back(stage: Stage, gone: int) -> bool:
    now = stage.service("pocket")
    return bool(now["state"] == "healthy" and now["pid"] != gone)


def test_the_pocket_stack_killed_and_restarted(stage: Stage) -> None:
    """Three times, so that it is hit at work: reading lines, storing them, delivering events."""
    with stage.traffic():
        events_flow(stage)
        before = len(stage.emitted())
        for _ in range(3):
            killed = stage.service("pocket")["pid"]
            os.kill(killed, signal.SIGKILL)
            eventually(partial(back, stage, killed), "the runner starts it again")
            events_flow(stage)
        meanwhile = len(stage.emitted()) - before
    nothing_is_lost_or_doubled(stage, "the pocket stack killed three times", meanwhile)


def test_the_same_events_delivered_twice(stage: Stage) -> None:
    """All lines of the frontend come to the collector once more, as after a lost acknowledgment."""
    with stage.traffic():
        events_flow(stage)
    emitted = stage.emitted()
    eventually(lambda: stage.stored() == Counter(emitted.keys()), "all is stored")
    duplicates = stage.metric("usage_events_duplicate_total")
    values = [[str(time.time_ns() + n), line] for n, line in enumerate(emitted.values())]
    labels = {"container_name": "dice-workshop-frontend-1", "compose_service": "frontend"}
    push = httpx.post(
        f"{stage.url(12345)}/loki/api/v1/push",
        json={"streams": [{"stream": labels, "values": values}]},
        timeout=30,
    )
    assert push.status_code == 204
    eventually(
        lambda: stage.metric("usage_events_duplicate_total") >= duplicates + len(emitted),
        "they come a second time",
    )
    nothing_is_lost_or_doubled(stage, "every event delivered twice", len(emitted))


def test_the_outage_script_sees_the_outage_and_that_it_is_over(stage: Stage) -> None:
    times = ("--before-seconds", "2", "--outage-seconds", "4", "--after-seconds", "2")
    code, seen = stage.script("database_outage.py", *times)
    assert (code, seen["verdict"]) == (0, "ok"), seen
    assert seen["outage_seconds"] >= 4
    rates = [second["good"] / second["all"] for second in seen["success_rate"]]
    assert (rates[0], min(rates), rates[-1]) == (1, 0, 1)
    assert [entry["what"] for entry in seen["timeline"]][1:4] == [
        "postgres is asked to stop (workshop)", "postgres is down", "postgres is asked to start",
    ]  # fmt: skip
    assert seen["seconds_to_first_success"] > 0


def test_the_load_script_reaches_its_rate(stage: Stage) -> None:
    code, seen = stage.script(
        "database_load.py", "--rate", "20", "--list-ratio", "0.5", "--duration-seconds", "10"
    )
    assert (code, seen["failed"]) == (0, 0), seen
    assert set(seen["actions"]) == {"get", "list"}
    assert 0 < seen["requests_per_second"] < 25
    assert seen["latency_ms"]["p50"] <= seen["latency_ms"]["p99"]


def test_the_audit_script_lists_what_is_not_in_the_logs(stage: Stage) -> None:
    """An event that no frontend logged: it is stored, and the audit fails and names it."""
    stranger = str(uuid.uuid4())
    fields = {"usage": True, "event_id": stranger, "event": "roll", "user": "nobody"}
    body = {"body": {"stringValue": json.dumps(fields)}, "timeUnixNano": str(time.time_ns())}
    message = {"resourceLogs": [{"scopeLogs": [{"logRecords": [body]}]}]}
    assert httpx.post(f"{stage.url(8003)}/v1/logs", json=message, timeout=10).status_code == 200
    code, audit = stage.script("usage_audit.py", "--wait-seconds", "1")
    assert (code, audit["good"], audit["unexpected"], audit["missing"]) == (1, False, [stranger], [])
