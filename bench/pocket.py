"""A pocket stack of our own on shifted ports, and what it takes in and gives out a second."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.processes import resident_mib, running

OFFSET = 7000


def url(port: int, path: str = "") -> str:
    return f"http://127.0.0.1:{port + OFFSET}{path}"


@contextlib.contextmanager
def pocket(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A pocket stack with an empty store, without scrape targets unless the arguments name them."""
    with tempfile.TemporaryDirectory(prefix="bench-pocket-") as folder:
        command = ["-m", "pocket", "--data-dir", folder, "--port-offset", str(OFFSET), *arguments]
        with running(command, ready=url(3200, "/ready")) as process:
            yield process


def otlp_batch(spans: int) -> bytes:
    """An ExportTraceServiceRequest of `spans` server spans with the attributes an HTTP span has."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    _text(resource_spans.resource.attributes.add(), "service.name", "bench")
    scope = resource_spans.scope_spans.add()
    now = time.time_ns()
    for number in range(spans):
        span = scope.spans.add(
            name="GET /roll", kind=2, trace_id=secrets.token_bytes(16), span_id=secrets.token_bytes(8)
        )
        span.start_time_unix_nano, span.end_time_unix_nano = now - 5_000_000, now + number
        for key in ("http.request.method", "url.path", "http.route", "network.protocol.version", "die.type"):
            _text(span.attributes.add(), key, key)
    return request.SerializeToString()


def _text(attribute: object, key: str, value: str) -> None:
    attribute.key, attribute.value.string_value = key, value  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Ingest:
    spans_per_second: float
    lines_per_second: float
    resident_mib: float


def _posts(client: httpx.Client, address: str, body: bytes, content_type: str, seconds: float) -> float:
    """Bodies accepted a second by one client that posts back to back; a refused one is retried, not counted."""
    began, accepted = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        answer = client.post(address, content=body, headers={"content-type": content_type})
        accepted += answer.is_success
    return accepted / (time.perf_counter() - began)


def _loki_push(lines: int) -> bytes:
    now = time.time_ns()
    values = [[str(now + n), json.dumps({"message": "rolled", "roll_value": n})] for n in range(lines)]
    return json.dumps({"streams": [{"stream": {"service_name": "bench"}, "values": values}]}).encode()


def measure_ingest(seconds: float = 5.0) -> Ingest:
    """Spans over OTLP/HTTP in batches of 512 (the SDK's size), log lines over Loki's push by the 1000."""
    with pocket() as process, httpx.Client(timeout=30) as client:
        spans = _posts(client, url(4318, "/v1/traces"), otlp_batch(512), "application/x-protobuf", seconds) * 512
        lines = (
            _posts(client, url(3100, "/loki/api/v1/push"), _loki_push(1000), "application/json", seconds) * 1000
        )
        return Ingest(spans, lines, resident_mib(process.pid))
