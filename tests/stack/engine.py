"""Docker Compose and the stack's APIs, as the tests of the whole Docker path use them."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STAGES = sorted(ROOT.glob("stage[1-6]/docker-compose.yml"))
DEADLINE_SECONDS = 60


def docker(*arguments: str, cwd: Path = ROOT, seconds: int = 60, **variables: str) -> str:
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True, text=True, timeout=seconds, check=False, cwd=cwd, env=os.environ | variables,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-2000:])
    return done.stdout


def why_not() -> str:
    """Why the stage cannot be started here; empty if it can."""
    try:
        docker("info", "--format", "{{.ServerVersion}}", seconds=10)
        project = json.loads(
            docker("compose", "--profile", "*", "config", "--format", "json", cwd=STAGES[-1].parent)
        )
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


def up(folder: Path, profile: str = "", scale: str = "", **variables: str) -> None:
    """Built and healthy, or RuntimeError with what Compose says."""
    profiles = ("--profile", profile) if profile else ()
    wanted = ("--scale", scale) if scale else ()
    command = ("up", "-d", "--build", "--remove-orphans", "--wait", "--wait-timeout", "180")
    docker("compose", *profiles, *command, *wanted, cwd=folder, seconds=600, **variables)


def roll(die: str, trace: str = "", port: int = 8001) -> None:
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"} if trace else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/roll?die={die}", headers=headers)
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


def trace_of(trace_id: str) -> list[dict[str, Any]]:
    """Its resource spans; none if Tempo does not know it."""
    try:
        found = ask(f"http://127.0.0.1:3200/api/v2/traces/{trace_id}")["trace"]
    except urllib.error.HTTPError as error:
        error.close()
        return []
    return list(found.get("resourceSpans", []))


def prometheus(query: str) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = ask("http://127.0.0.1:9090/api/v1/query", query=query)["data"]["result"]
    return result


def loki(query: str) -> list[str]:
    streams = ask("http://127.0.0.1:3100/loki/api/v1/query_range", query=query, limit="5000")["data"]["result"]
    return [line for stream in streams for _, line in stream["values"]]


def newest_exemplars(query: str) -> list[dict[str, Any]]:
    """Of the first series that has some, the newest first."""
    url, now = "http://127.0.0.1:9090/api/v1/query_exemplars", time.time()
    for series in ask(url, query=query, start=str(now - 600), end=str(now + 60))["data"]:
        return sorted(series["exemplars"], key=lambda exemplar: -float(exemplar["timestamp"]))
    return []
