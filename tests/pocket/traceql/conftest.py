# ruff: noqa: E501 - a span a line reads best
"""The traces the TraceQL tests ask about, in memory and for a real Tempo."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from pocket.api.tempo.otlp import trace_bytes
from pocket.rows import Span, SpanEvent, SpanLink
from tests import golden

SECOND = 10**9
MS = 10**6
BASE = 1_700_000_000 * SECOND

INTERNAL, SERVER, CLIENT = 1, 2, 3
OK, ERROR = 1, 2


def resource(service: str) -> dict[str, Any]:
    return {"service.name": service, "service.namespace": "dice-workshop", "replica": 2}


def span(trace: int, number: int, parent: int, name: str, service: str, start_ns: int, ms: float, kind: int = INTERNAL,
         status: int = 0, **more: Any) -> Span:  # fmt: skip
    attributes = {key.replace("__", "."): value for key, value in more.pop("attributes", {}).items()}
    return Span(
        f"{trace:032x}", f"{trace:08x}{number:08x}", f"{trace:08x}{parent:08x}" if parent else "", name, kind,
        start_ns, start_ns + int(ms * MS), status, attributes=attributes, resource=resource(service),
        scope_name="tests", scope_version="1.0", **more,
    )  # fmt: skip


def traces(base: int) -> list[Span]:
    """Six traces, ten seconds apart: a roll, a failed one, a fan-out, a lone span, orphans, odd attributes."""
    t = [base + i * 10 * SECOND for i in range(6)]
    return [
        span(0xA1, 1, 0, "GET /roll", "frontend", t[0], 50, SERVER, attributes={"http__request__method": "GET", "http__response__status_code": 200}),
        span(0xA1, 2, 1, "GET", "frontend", t[0] + 5 * MS, 40, CLIENT, attributes={"http__response__status_code": 200, "die__type": "fair"}),
        span(0xA1, 3, 2, "GET /dice/{identifier}", "die-service", t[0] + 10 * MS, 20, SERVER, OK, attributes={"die__found": True, "ratio": 0.25}),
        span(0xA1, 4, 3, "SELECT", "die-service", t[0] + 12 * MS, 3, CLIENT, attributes={"db__query__text": "select 1", "db.rows": 3}),
        span(0xA2, 1, 0, "GET /roll", "frontend", t[1], 250, SERVER, ERROR, status_message="boom", attributes={"http__request__method": "GET", "http__response__status_code": 500}),
        span(0xA2, 2, 1, "roll die", "roller", t[1] + 20 * MS, 200, INTERNAL, ERROR, attributes={"die__type": "risky", "die__result": 7},
             events=[SpanEvent(t[1] + 30 * MS, "exception", {"exception.type": "ValueError"}), SpanEvent(t[1] + 40 * MS, "retry", {"attempt": 2})]),
        span(0xA3, 1, 0, "GET /roll-async", "frontend", t[2], 1200, SERVER, attributes={"http__request__method": "GET", "async__batch_size": 3}),
        *[span(0xA3, 2 + i, 1, "roll die", "roller", t[2] + i * MS, 300 + i * 300, attributes={"die__type": "fair", "roll__index": i, "die__result": i + 1}) for i in range(3)],
        span(0xA4, 1, 0, "cleanup", "cron", t[3], 0.5, links=[SpanLink(f"{0xA1:032x}", f"{0xA1:08x}{1:08x}", {"why": "follows"})]),
        span(0xA5, 5, 9, "orphan", "roller", t[4], 10, SERVER),
        span(0xA5, 6, 5, "orphan child", "roller", t[4] + MS, 5, status=ERROR),
        span(0xA6, 1, 0, "odd", "cron", t[5], 7, attributes={"tags": ["a", "b"], "nums": [1, 2, 3], "flag": False, "text": "it's \"so\"", "a b": "spaced", "big": 2**40, "float": 1e21, "replica": "shadow"},
             scope_attributes={"mode": "auto", "level": 2}),
    ]  # fmt: skip


class MemoryTraces:
    """A TraceSource over a list; like the store it hands out whole traces of which a span passes all filters."""

    def __init__(self, spans: list[Span]) -> None:
        self.all = spans
        self.asked: dict[str, Any] = {}
        self.attributes: tuple[tuple[str, str | None], ...] = ()

    def newest(
        self, start_ns: int, end_ns: int, *, service: str | None = None, name: str | None = None,
        min_duration_ns: int = 0, max_duration_ns: int | None = None, status: int | None = None, kind: int | None = None,
        attributes: Sequence[tuple[str, str | None]] = (),
    ) -> Iterator[list[Span]]:  # fmt: skip
        self.asked = {"service": service, "name": name, "status": status, "kind": kind}
        self.attributes = tuple(attributes)
        found = [
            item
            for item in self.all
            if start_ns <= item.start_ns < end_ns
            and (service is None or item.service_name == service)
            and (name is None or item.name == name)
            and item.duration_ns >= min_duration_ns
            and (max_duration_ns is None or item.duration_ns <= max_duration_ns)
            and (status is None or item.status == status)
            and (kind is None or item.kind == kind)
            and all(key in item.attributes for key, _ in attributes)
        ]
        for trace_id in dict.fromkeys(item.trace_id for item in sorted(found, key=lambda item: -item.start_ns)):
            yield [item for item in self.all if item.trace_id == trace_id]


@pytest.fixture
def source() -> MemoryTraces:
    return MemoryTraces(traces(BASE))


# ---- a real Tempo
READY_SECONDS = 60.0
CONFIG = """
server: {{http_listen_address: 127.0.0.1, http_listen_port: {http}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}, log_level: error}}
distributor: {{receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}}}}}
query_frontend: {{query_end_cutoff: 0s}}
live_store: {{fail_on_high_lag: false, max_trace_idle: 1s, flush_check_period: 1s, wal: {{path: {path}/live}}, shutdown_marker_dir: {path}/marker}}
backend_scheduler: {{local_work_path: {path}/work}}
storage: {{trace: {{backend: local, wal: {{path: {path}/wal}}, local: {{path: {path}/blocks}}}}}}
usage_report: {{reporting_enabled: false}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def real_tempo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, int, list[Span]]]:
    """A Tempo with `traces(base)`, or what one answered, as (client, base_ns, spans)."""
    directory = os.environ.get("REAL_TOOLS_DIR", "")
    binary = shutil.which("tempo", path=directory) if directory else shutil.which("tempo")
    if binary:
        yield from _live(binary, tmp_path_factory.mktemp("tempo"))
        return
    base = golden.begin("tempo")
    with golden.replayed("tempo") as client:
        yield client, base, traces(base)


def _live(binary: str, path: Path) -> Iterator[tuple[httpx.Client, int, list[Span]]]:
    version = subprocess.run([binary, "-version"], capture_output=True, text=True, check=True).stdout.splitlines()[
        0
    ]
    http, otlp = free_port(), free_port()
    (path / "tempo.yaml").write_text(CONFIG.format(http=http, grpc=free_port(), otlp=otlp, path=path))
    with (path / "log").open("wb") as log:
        process = subprocess.Popen([binary, f"-config.file={path}/tempo.yaml"], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{http}", timeout=30) as client:
            until(lambda: client.get("/ready").status_code == 200, process)
            base = (int(time.time()) - 90) * SECOND
            rows = traces(base)
            headers = {"content-type": "application/x-protobuf"}
            body = trace_bytes(rows)
            until(
                lambda: httpx.post(f"http://127.0.0.1:{otlp}/v1/traces", content=body, headers=headers).is_success,
                process,
            )
            span: dict[str, str | int] = {
                "q": "{}",
                "start": base // SECOND - 60,
                "end": base // SECOND + 240,
                "spss": 10,
            }
            until(
                lambda: (
                    sum(t["spanSet"]["matched"] for t in client.get("/api/search", params=span).json()["traces"])
                    == len(rows)
                ),
                process,
            )
            with golden.recorded("tempo", client, version, base):
                yield client, base, rows
    finally:
        process.kill()
        process.wait(20)


def until(reached: Any, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if reached():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.25)
    pytest.fail(f"{process.args!r} did not become ready: {process.poll()}")
