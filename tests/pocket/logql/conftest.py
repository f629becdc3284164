# ruff: noqa: E501 - a case a line reads best
"""The log lines the LogQL tests ask about, in memory and in a real Loki."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from pocket.rows import LogEntry, Matcher
from tests import golden

SECOND = 10**9
READY_SECONDS = 60.0


class MemoryLogs:
    """A LogSource over a list."""

    def __init__(self, entries: Sequence[LogEntry]) -> None:
        self.entries = sorted(entries, key=lambda entry: entry.t_ns)
        self.asked_contains: tuple[str, ...] = ()

    def select(
        self, matchers: Sequence[Matcher], start_ns: int, end_ns: int, *,
        limit: int | None = None, newest_first: bool | None = True, contains: Sequence[str] = (),
    ) -> Iterator[LogEntry]:  # fmt: skip
        self.asked_contains = tuple(contains)
        found = [
            entry
            for entry in (reversed(self.entries) if newest_first else self.entries)
            if start_ns <= entry.t_ns < end_ns
            and all(matcher.matches(entry.labels) for matcher in matchers)
            and all(text in entry.line for text in contains)
        ]
        yield from found[:limit]


ROLLER = {"service_name": "dice-roller", "container_name": "dice-workshop-dice-roller-1"}
# (stream labels, line, structured metadata); one every second
LINES: list[tuple[dict[str, str], str, dict[str, str]]] = [
    ({**ROLLER, "level": "info"}, '{"level":"info","message":"rolled","roll_value":5,"die_type":"fair","ok":true}', {"trace_id": "a1", "span_id": "b1"}),
    ({**ROLLER, "level": "info"}, '{"message":"rolled","roll_value":2,"die_type":"fair","took":"250ms","size":"1.5KB"}', {"trace_id": "a2"}),
    ({**ROLLER, "level": "error"}, '{"message":"failed \\"badly\\"","die_type":"risky","took":"1.2s","nested":{"a":{"b":1},"list":[1,"x"]},"nothing":null}', {"trace_id": "a3"}),
    ({**ROLLER, "level": "info"}, "no json at all", {}),
    ({**ROLLER, "level": "warning"}, '{"message":"slow","roll_value":7.50,"die_type":"risky","took":"2s","die-type":"x","9lives":1,"trace_id":"mine"}', {"trace_id": "a4"}),
    ({"service_name": "nginx"}, '10.0.0.1 - - [x] "GET /roll HTTP/1.1" 200 512', {}),
    ({"service_name": "nginx"}, '10.0.0.2 - - [x] "POST /roll HTTP/1.1" 500 12', {}),
    ({"service_name": "app"}, 'level=info msg="hello world" duration=12ms bytes=2KB status=200 empty= flag', {}),
    ({"service_name": "app"}, 'level=error msg="it said \\"no\\"" duration=3s bytes=10MB status=500 service_name=other', {}),
    ({"service_name": "app"}, 'broken = x" level=warn status=200', {}),
    ({"service_name": "app"}, "\x1b[31mred\x1b[0m text ERROR: bad", {}),
    ({"service_name": "app"}, "ünï cödé <b> & co", {}),
    ({**ROLLER, "level": "info"}, '{"message":"rolled","roll_value":3,"die_type":"fair","took":"bad","size":"7MiB"}', {"trace_id": "a5"}),
]  # fmt: skip


def entries(base_ns: int) -> list[LogEntry]:
    """LINES three times over, a minute apart, one line a second from `base_ns`."""
    return [
        LogEntry(labels, base_ns + (minute * 60 + index) * SECOND, line, metadata)
        for minute in range(3)
        for index, (labels, line, metadata) in enumerate(LINES)
    ]


BASE = 1_700_000_000 * SECOND


@pytest.fixture
def logs() -> MemoryLogs:
    return MemoryLogs(entries(BASE))


def tool(name: str) -> str | None:
    found = os.environ.get("REAL_TOOLS_DIR", "")
    return shutil.which(name, path=found) if found else shutil.which(name)


CONFIG = """
auth_enabled: false
server: {{http_listen_address: 127.0.0.1, http_listen_port: {port}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}, log_level: error}}
common:
  instance_addr: 127.0.0.1
  path_prefix: {path}
  replication_factor: 1
  ring: {{kvstore: {{store: inmemory}}}}
  storage: {{filesystem: {{chunks_directory: {path}/chunks, rules_directory: {path}/rules}}}}
schema_config:
  configs: [{{from: "2024-01-01", store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}]
ingester: {{lifecycler: {{min_ready_duration: 0s}}}}
limits_config: {{allow_structured_metadata: true, volume_enabled: true}}
analytics: {{reporting_enabled: false}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.25)
    pytest.fail(f"{process.args!r} did not become ready: {process.poll()}")


@pytest.fixture(scope="session")
def real_loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, int, list[LogEntry]]]:
    """A Loki with `entries(base)`, or what one answered, as (client, base_ns, entries)."""
    binary = tool("loki")
    if binary:
        yield from _live(binary, tmp_path_factory.mktemp("loki"))
        return
    base = golden.begin("loki")
    with golden.replayed("loki") as client:
        yield client, base, entries(base)


def _live(binary: str, path: Path) -> Iterator[tuple[httpx.Client, int, list[LogEntry]]]:
    port = free_port()
    config = path / "loki.yaml"
    config.write_text(CONFIG.format(port=port, grpc=free_port(), path=path))
    version = subprocess.run([binary, "-version"], capture_output=True, text=True, check=True).stdout.splitlines()[
        0
    ]
    with (path / "log").open("wb") as log:
        process = subprocess.Popen(
            [binary, f"-config.file={config}", "-use-thanos-objstore=false"], stdout=log, stderr=log
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/ready", process)
        base = (int(time.time()) - 900) // 60 * 60 * SECOND
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            rows = entries(base)
            push(client, rows)
            with golden.recorded("loki", client, version, base):
                yield client, base, rows
    finally:
        process.terminate()
        process.wait(20)


def push(client: httpx.Client, rows: Sequence[LogEntry]) -> None:
    streams = [
        {"stream": row.labels, "values": [[str(row.t_ns), row.line, row.structured_metadata]]} for row in rows
    ]
    client.post("/loki/api/v1/push", json={"streams": streams}).raise_for_status()
