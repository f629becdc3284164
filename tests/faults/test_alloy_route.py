"""Stage 6's usage route in the real Alloy, against the real usage-service and PostgreSQL, through their faults.

The stage's own configuration, block by block; only the source is another one, since there are no containers here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from workshop.infrastructure.account import remove

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "stage6" / "alloy" / "config.alloy"
SERVICE = ROOT / "stage6" / "usage-service"
DEADLINE = 60.0
pytestmark = pytest.mark.e2e


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    pytest.fail(f"not within {DEADLINE:g} s: {what}")


def block(header: str) -> str:
    """A top-level block of the stage's configuration."""
    match = re.search(rf"^{re.escape(header)} \{{\n.*?^\}}\n", CONFIG.read_text(), re.M | re.S)
    assert match, f"{CONFIG} has no {header}"
    return match[0]


def configuration(source: int, loki: int, usage: int) -> str:
    api = f"""
loki.source.api "containers" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port    = {source}
  }}
  forward_to = [loki.process.service_logs.receiver]
}}
"""
    headers = (
        'loki.process "service_logs"', 'loki.write "default"', 'loki.process "usage"',
        'otelcol.receiver.loki "usage"', 'otelcol.exporter.otlphttp "usage"', 'otelcol.storage.file "usage"',
    )  # fmt: skip
    text = api + "".join(block(header) for header in headers)
    return text.replace("http://loki:3100", f"http://127.0.0.1:{loki}").replace(
        "http://usage-service:8003", f"http://127.0.0.1:{usage}"
    )


class Loki(BaseHTTPRequestHandler):
    """Takes what it gets."""

    pushes: list[int]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.pushes.append(1)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@dataclass
class Child:
    """A process that can be started again."""

    command: list[str]
    cwd: Path
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env=os.environ | self.environment, stdout=log, stderr=log
            )

    def stop(self, *, kill: bool = False) -> None:
        if self.process is not None:
            (self.process.kill if kill else self.process.terminate)()
            self.process.wait(DEADLINE)
        self.process = None


@dataclass
class Route:
    source: int
    usage: int
    children: dict[str, Child]
    pushes: list[int]

    def push(self, *lines: dict[str, object]) -> None:
        """As the containers' log lines come from Docker."""
        now = time.time_ns()
        values = [[str(now + n), json.dumps(line)] for n, line in enumerate(lines)]
        stream = {"stream": {"container_name": "dice-workshop-frontend-1"}, "values": values}
        url = f"http://127.0.0.1:{self.source}/loki/api/v1/push"
        httpx.post(url, json={"streams": [stream]}, timeout=10).raise_for_status()

    def stored(self) -> set[str]:
        url = f"http://127.0.0.1:{self.usage}/usage/events?limit=10000"
        return {event["event_id"] for event in httpx.get(url, timeout=10).raise_for_status().json()}

    def metric(self, name: str) -> float:
        lines = httpx.get(f"http://127.0.0.1:{self.usage}/metrics", timeout=10).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def ready(self) -> None:
        eventually(
            lambda: httpx.get(f"http://127.0.0.1:{self.source}/ready", timeout=5).is_success,
            "Alloy's source is ready",
        )


@pytest.fixture
def route() -> Iterator[Route]:
    alloy = shutil.which("alloy", path=os.getenv("REAL_TOOLS_DIR", "")) or shutil.which("alloy")
    if alloy is None:
        pytest.skip("alloy is neither in REAL_TOOLS_DIR nor on PATH")
    folder = Path(tempfile.mkdtemp(prefix="dice-workshop-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    source, usage, database, http = (free_port() for _ in range(4))
    handler = type("Handler", (Loki,), {"pushes": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as loki:
        threading.Thread(target=loki.serve_forever, daemon=True).start()
        (folder / "config.alloy").write_text(configuration(source, loki.server_address[1], usage))
        owner = {f"{role}_DATABASE_PASSWORD": "secret" for role in ("SERVICES", "EXPORTER", "GRAFANA")}
        owner |= {"POSTGRES_PASSWORD": "the superuser's", "POSTGRES_DB": "dice"}
        postgres = ["workshop.infrastructure.postgres", "--data-dir", str(folder / "pg"), "--port", str(database)]
        postgres += ["--init", str(SERVICE.parent / "postgres")]
        listen = [f"--server.http.listen-addr=127.0.0.1:{http}", f"--storage.path={folder / 'data'}"]
        flags = ["--stability.level=public-preview", "--disable-reporting"]
        uvicorn = ["uvicorn", "main:app", "--no-access-log", "--port", str(usage)]
        children = {
            "postgres": Child([sys.executable, "-m", *postgres], ROOT, folder / "postgres.log", owner),
            "usage": Child(
                [sys.executable, "-m", *uvicorn], SERVICE, folder / "usage.log",
                {"PGPORT": str(database), "PGPASSWORD": "secret"},
            ),
            "alloy": Child([alloy, "run", *listen, *flags, "config.alloy"], folder, folder / "alloy.log"),
        }  # fmt: skip
        for child in children.values():
            child.start()
        made = Route(source, usage, children, handler.pushes)  # type: ignore[attr-defined]
        try:
            made.ready()
            yield made
        finally:
            for child in reversed(children.values()):
                child.stop()
            loki.shutdown()
            remove(folder / "pg")
            shutil.rmtree(folder)


def usage_line(**fields: object) -> dict[str, object]:
    event = {"usage": True, "event_id": str(uuid.uuid4()), "event": "roll", "user": "Ada"}
    return (
        {"timestamp": "2026-01-01T00:00:00+00:00", "level": "info", "service": "streamlit-frontend"}
        | event
        | fields
    )


OTHERS: list[dict[str, object]] = [
    {"message": "no event"}, {"usage": False, "event_id": "x"}, {"usage": "yes"}, {"level": "info", "usage": None},
]  # fmt: skip


def test_alloy_routes_by_content_and_loses_nothing(route: Route) -> None:
    sent: set[str] = set()

    def emit(count: int) -> None:
        for _ in range(count):
            line = usage_line()
            route.push(line, *OTHERS)
            sent.add(str(line["event_id"]))

    emit(20)
    eventually(lambda: route.stored() == sent, "events arrive")

    route.children["usage"].stop()
    emit(20)
    time.sleep(2)  # Alloy tries, and fails
    route.children["alloy"].stop(kill=True)
    route.children["alloy"].start()
    route.ready()
    emit(20)
    route.children["postgres"].stop()
    route.children["usage"].start()
    eventually(
        lambda: httpx.get(f"http://127.0.0.1:{route.usage}/healthz", timeout=5).status_code == 503,
        "usage-service says 503",
    )
    emit(20)
    time.sleep(2)
    assert route.metric("usage_events_stored_total") == 0
    route.children["postgres"].start()
    eventually(lambda: route.stored() == sent, "what waited on disk arrives, and all of it")

    assert len(sent) == 80
    assert route.metric("usage_events_rejected_total") == 0
    assert route.pushes, "Loki gets them as well"
