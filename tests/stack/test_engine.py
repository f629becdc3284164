"""The whole Docker path: the full stack with stage 5 and, in its place, stage 6: started, driven and asked.

Runs where a Docker engine answers, every image is there already (nothing is pulled) and the ports are free;
skips with the reason elsewhere.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.engine import (
    ROOT,
    STAGES,
    ask,
    docker,
    eventually,
    loki,
    newest_exemplars,
    prometheus,
    roll,
    trace_of,
    up,
    why_not,
)

pytestmark = pytest.mark.e2e

TRACE = "0af7651916cd43dd8448eb211c80319c"
OF_STAGE_5 = "5af7651916cd43dd8448eb211c80319c"
AFTER_START = "6af7651916cd43dd8448eb211c80319c"
LINE_OF_STAGE_5 = f'{{service_name="dice-roller"}} | trace_id="{OF_STAGE_5}"'


@pytest.fixture(scope="module")
def stage() -> Iterator[Path]:
    """Stage 6, which was stage 5 a moment ago and had a roll then."""
    if reason := why_not():
        pytest.skip(reason)
    before, folder = (file.parent for file in STAGES[-2:])
    try:
        up(before)
        roll("fair", OF_STAGE_5)
        eventually(lambda: trace_of(OF_STAGE_5), bool)
        eventually(lambda: loki(LINE_OF_STAGE_5), bool)  # what Alloy has not read goes with its container
        up(folder)
        for die in ("fair", "risky") * 10:
            roll(die)
        yield folder
    finally:
        docker("compose", "--profile", "*", "down", "-v", "--timeout", "5", cwd=folder, seconds=180)


def test_the_stack_kept_what_it_had_of_the_stage_before(stage: Path) -> None:
    assert trace_of(OF_STAGE_5)
    assert loki(LINE_OF_STAGE_5)


def test_every_container_is_healthy_and_within_its_memory(stage: Path) -> None:
    containers = docker("compose", "ps", "-q", cwd=stage).split()
    for state in json.loads(docker("inspect", *containers)):
        name = state["Name"]
        assert state["State"]["Health"]["Status"] == "healthy", name
        assert (state["RestartCount"], state["State"]["OOMKilled"]) == (0, False), name
        assert state["HostConfig"]["Memory"] > 0, name
    for usage in docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemPerc}}", *containers).splitlines():
        name, percent = usage.split()
        assert float(percent.removesuffix("%")) < 90, name


def test_prometheus_scrapes_what_dns_finds(stage: Path) -> None:
    running = set(docker("compose", "ps", "--services", cwd=stage).split())
    jobs = {"dice-roller": "dice-roller", "streamlit-frontend": "frontend", "die-service": "die-service",
            "usage-service": "usage-service", "postgres": "postgres-exporter"}  # fmt: skip
    expected = {job: "1" for job, service in jobs.items() if service in running}
    found = eventually(
        lambda: {series["metric"]["job"]: series["value"][1] for series in prometheus("up")},
        lambda up: bool(up == expected),
    )
    assert "dice-roller" in found


def test_one_request_is_seen_in_traces_logs_and_exemplars(stage: Path) -> None:
    roll("fair", TRACE)
    eventually(  # the services export one after the other
        lambda: trace_of(TRACE),
        lambda found: "dice-roller" in str(found) and "roll die" in str(found),
    )
    lines = eventually(lambda: loki(f'{{service_name="dice-roller"}} | trace_id="{TRACE}"'), bool)
    assert json.loads(lines[0])["trace_id"] == TRACE
    query = 'http_request_duration_seconds_bucket{job="dice-roller"}'
    exemplars = eventually(lambda: newest_exemplars(query), bool)
    assert len(exemplars[0]["labels"]["trace_id"]) == 32


def test_tempo_writes_span_metrics_with_exemplars(stage: Path) -> None:
    labels = '{service="dice-roller", span_kind="SPAN_KIND_SERVER"}'
    (series, *_) = eventually(lambda: prometheus(f"traces_spanmetrics_calls_total{labels}"), bool)
    assert "__metrics_gen_instance" not in series["metric"]
    exemplars = eventually(lambda: newest_exemplars(f"traces_spanmetrics_latency_bucket{labels}"), bool)
    assert trace_of(exemplars[0]["labels"]["traceID"])


def test_pyroscope_has_a_profile(stage: Path) -> None:
    url, now = "http://127.0.0.1:4040/querier.v1.QuerierService/LabelValues", int(time.time() * 1000)
    body = {"name": "service_name", "start": now - 600_000, "end": now + 60_000}
    names = eventually(lambda: ask(url, body).get("names", []), lambda found: "dice-roller" in found)
    assert "pyroscope" not in names  # no profiles of its own


def test_a_restart_of_alloy_loses_no_line_and_doubles_none(stage: Path) -> None:
    docker("compose", "stop", "alloy", cwd=stage)
    trace = TRACE[::-1]
    roll("fair", trace)
    docker("compose", "start", "alloy", cwd=stage)
    query = f'{{service_name="dice-roller"}} | trace_id="{trace}"'
    first = eventually(lambda: loki(query), bool)
    time.sleep(6)  # longer than Alloy's look for containers: a second reading would be there now
    assert loki(query) == first
    assert len(first) == len(set(first))


def test_the_stacks_own_logs_stay_out(stage: Path) -> None:
    names = ask("http://127.0.0.1:3100/loki/api/v1/label/container_name/values")["data"]
    assert "dice-workshop-dice-roller-1" in names
    assert not {f"dice-workshop-{name}-1" for name in ("loki", "tempo", "alloy", "prometheus")} & set(names)


def test_traffic_and_then_the_check(stage: Path) -> None:
    """As the lesson says, in its two commands."""
    docker("compose", "--profile", "traffic", "run", "--rm", "--build", "traffic", cwd=stage, seconds=300)
    check = [sys.executable, "-m", "workshop", "check", str(len(STAGES)), "--json"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    result = json.loads(done.stdout)
    assert [item for item in result["items"] if item["status"] == "fail"] == []
    assert (done.returncode, result["stack"]) == (0, "grafana")


def test_three_rollers_are_seen_apart(stage: Path) -> None:
    up(stage, scale="dice-roller=3", ROLLER_PORT="8101-8110")
    up_now = 'up{job="dice-roller"} == 1'
    eventually(lambda: len(prometheus(up_now)), lambda instances: instances == 3)
    for port in _ports(stage, "dice-roller"):
        roll("fair", port=port)
    served = 'http_requests_total{job="dice-roller", handler="/roll"} and on(instance) (up == 1)'
    eventually(
        lambda: {series["metric"]["instance"] for series in prometheus(served)}, lambda seen: len(seen) == 3
    )
    up(stage)
    eventually(lambda: len(prometheus(up_now)), lambda instances: instances == 1)


def _ports(stage: Path, service: str) -> list[int]:
    lines = docker("compose", "ps", "--format", "{{.Service}} {{.Ports}}", cwd=stage).splitlines()
    return [int(line.partition("127.0.0.1:")[2].partition("-")[0]) for line in lines if line.startswith(service)]


def test_the_collector_in_the_place_of_alloys_traces(stage: Path) -> None:
    up(stage, profile="otelcol", TRACES_ENDPOINT="otelcol:4317")
    trace = TRACE.replace("0af", "c0f")
    roll("fair", trace)
    eventually(lambda: trace_of(trace), bool)
    docker("compose", "stop", "otelcol", cwd=stage)  # it is the way, then, and nothing else is
    lost = TRACE.replace("0af", "c1f")
    roll("fair", lost)
    time.sleep(5)  # all other traces were there within 3 s
    assert trace_of(lost) == []
    up(stage)


def test_a_service_stopped_and_started_has_its_lines_once(stage: Path) -> None:
    """Alloy reads the container's last second again; Loki drops what it has."""
    asked = '{container_name="dice-workshop-dice-roller-1"}'
    for _ in range(10):
        roll("fair")
    docker("compose", "stop", "dice-roller", cwd=stage)
    docker("compose", "start", "dice-roller", cwd=stage)
    eventually(lambda: prometheus('up{job="dice-roller"}'), bool)
    roll("fair", AFTER_START)
    eventually(lambda: loki(f'{asked} | trace_id="{AFTER_START}"'), bool)  # Alloy is past the old ones
    lines = loki(asked)
    assert len(lines) > 10
    assert sorted(set(lines)) == sorted(lines)


def test_up_without_build_starts_no_other_stages_service(stage: Path) -> None:
    """Back to stage 5 while the images of stage 6 are the newest."""
    docker("compose", "up", "-d", "--wait", "--wait-timeout", "180", cwd=STAGES[-2].parent, seconds=600)
    for name in ("dice-roller", "die-service", "frontend"):
        image = docker("inspect", "--format", "{{.Config.Image}}", f"dice-workshop-{name}-1").strip()
        assert image == f"dice-workshop-{name}:stage5"
