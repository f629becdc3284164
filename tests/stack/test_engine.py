"""The whole Docker path: the last stage and the full stack, started with `docker compose up`, driven, and asked.

Runs where a Docker engine answers, every image is there already (nothing is pulled) and the ports are free;
skips with the reason elsewhere.
"""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
STAGES = sorted(ROOT.glob("stage[1-6]/docker-compose.yml"))
TRACE = "0af7651916cd43dd8448eb211c80319c"
DEADLINE_SECONDS = 60


def docker(*arguments: str, cwd: Path = ROOT, seconds: int = 60) -> str:
    command = ["docker", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, cwd=cwd)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-2000:])
    return done.stdout


def why_not() -> str:
    """Why the stage cannot be started here; empty if it can."""
    try:
        docker("info", "--format", "{{.ServerVersion}}", seconds=10)
        project = json.loads(docker("compose", "config", "--format", "json", cwd=STAGES[-1].parent))
        images = set(docker("images", "--format", "{{.Repository}}:{{.Tag}}").split())
        running = docker("ps", "-aq", "--filter", "label=com.docker.compose.project=dice-workshop")
    except (OSError, RuntimeError, IndexError, subprocess.TimeoutExpired) as error:
        return f"no Docker engine with Compose: {error}"
    if running:
        return "containers of the project dice-workshop are there already"
    needed = {service["image"] for service in project["services"].values() if "build" not in service}
    if missing := sorted((needed | {"python:3.13-slim"}) - images):
        return f"images not on this machine: {', '.join(missing)}"
    if len(STAGES) < 6:
        return "not all six stages are there, and Docker would make their folders"
    ports = {int(port["published"]) for one in project["services"].values() for port in one.get("ports", [])}
    if taken := sorted(filter(is_taken, ports)):
        return f"ports in use: {', '.join(map(str, taken))}"
    return ""


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def stage() -> Iterator[Path]:
    if reason := why_not():
        pytest.skip(reason)
    folder = STAGES[-1].parent
    try:
        docker("compose", "up", "-d", "--build", "--wait", "--wait-timeout", "180", cwd=folder, seconds=600)
        for die in ("fair", "risky") * 10:
            roll(die)
        yield folder
    finally:
        docker("compose", "--profile", "*", "down", "-v", "--timeout", "5", cwd=folder, seconds=180)


def roll(die: str, headers: dict[str, str] | None = None) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:8001/roll?die={die}", headers=headers or {})
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 500:  # the risky die fails one time in ten
            raise


def ask(url: str, body: dict[str, Any] | None = None, **parameters: str) -> Any:
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url + query, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def eventually(question: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """The first answer that is wanted; the last one, in the failure, if none is before the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not wanted(answer := question()):
        assert time.monotonic() < deadline, f"still {answer!r}"
        time.sleep(0.5)
    return answer


def prometheus(query: str) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = ask("http://127.0.0.1:9090/api/v1/query", query=query)["data"]["result"]
    return result


def loki(query: str) -> list[str]:
    streams = ask("http://127.0.0.1:3100/loki/api/v1/query_range", query=query)["data"]["result"]
    return [line for stream in streams for _, line in stream["values"]]


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
    roll("fair", {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    eventually(  # the services export one after the other
        lambda: ask(f"http://127.0.0.1:3200/api/v2/traces/{TRACE}")["trace"].get("resourceSpans", []),
        lambda found: "dice-roller" in str(found) and "roll die" in str(found),
    )
    lines = eventually(lambda: loki(f'{{service_name="dice-roller"}} | trace_id="{TRACE}"'), bool)
    assert json.loads(lines[0])["trace_id"] == TRACE
    url, now = "http://127.0.0.1:9090/api/v1/query_exemplars", time.time()
    query, start, end = 'http_request_duration_seconds_bucket{job="dice-roller"}', str(now - 600), str(now + 60)
    exemplars = eventually(lambda: ask(url, query=query, start=start, end=end)["data"], bool)
    assert len(exemplars[0]["exemplars"][0]["labels"]["trace_id"]) == 32


def test_tempo_writes_span_metrics_with_exemplars(stage: Path) -> None:
    query = 'traces_spanmetrics_calls_total{service="dice-roller", span_kind="SPAN_KIND_SERVER"}'
    (series, *_) = eventually(lambda: prometheus(query), bool)
    assert "__metrics_gen_instance" not in series["metric"]


def test_pyroscope_has_a_profile(stage: Path) -> None:
    url, now = "http://127.0.0.1:4040/querier.v1.QuerierService/LabelValues", int(time.time() * 1000)
    body = {"name": "service_name", "start": now - 600_000, "end": now + 60_000}
    names = eventually(lambda: ask(url, body).get("names", []), lambda found: "dice-roller" in found)
    assert "pyroscope" not in names  # no profiles of its own


def test_a_restart_of_alloy_loses_no_line_and_doubles_none(stage: Path) -> None:
    docker("compose", "stop", "alloy", cwd=stage)
    trace = TRACE[::-1]
    roll("fair", {"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
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
