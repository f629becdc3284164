"""A pocket stack of our own on shifted ports, and what it takes in and gives out a second."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.processes import resident_mib, running

OFFSET = 7000
GIVE_UP_SECONDS = 45.0


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
        for key in ("http.request.method", "url.path", "http.route", "network.protocol.version", "dice.die_type"):
            _text(span.attributes.add(), key, key)
    return request.SerializeToString()


def _text(attribute: object, key: str, value: str) -> None:
    attribute.key, attribute.value.string_value = key, value  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Stored:
    """Rows sent, rows found again by a query, and seconds from the first byte sent until they were."""

    sent: int
    found: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.found / self.seconds


@dataclass(frozen=True)
class Ingest:
    spans: Stored
    lines: Stored
    resident_mib: float


def _post(client: httpx.Client, address: str, body: bytes, content_type: str) -> None:
    """One client, back to back; a full queue answers 429 or 503, and the body is sent again, as exporters do."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while (answer := client.post(address, content=body, headers={"content-type": content_type})).is_error:
        if answer.status_code not in (429, 503) or time.monotonic() > deadline:
            raise RuntimeError(f"{address} answered {answer.status_code}: {answer.text[:200]}")
        time.sleep(0.05)


def _loki_push(lines: int) -> bytes:
    now = time.time_ns()
    values = [[str(now + n), json.dumps({"message": "rolled", "id": secrets.token_hex(8)})] for n in range(lines)]
    return json.dumps({"streams": [{"stream": {"service_name": "bench"}, "values": values}]}).encode()


def _lines_found(client: httpx.Client) -> int:
    query = {"query": 'sum(count_over_time({service_name="bench"}[1h]))', "time": str(time.time() + 60)}
    result = client.get(url(3100, "/loki/api/v1/query"), params=query).raise_for_status().json()["data"]["result"]
    return int(float(result[0]["value"][1])) if result else 0


def _spans_found(client: httpx.Client) -> int:
    now = int(time.time())
    query: dict[str, str | int] = {"q": '{ resource.service.name = "bench" } | count_over_time()', "step": "1h"}
    window: dict[str, str | int] = {"start": now - now % 3600 - 3600, "end": now - now % 3600 + 7200}
    answer = client.get(url(3200, "/api/metrics/query_range"), params=query | window).raise_for_status().json()
    return int(sum(sample.get("value", 0) for series in answer["series"] for sample in series["samples"]))


def _stored(post: Callable[[bytes], None], bodies: list[bytes], rows: int, found: Callable[[], int]) -> Stored:
    began = time.perf_counter()
    for body in bodies:
        post(body)
    until = began + GIVE_UP_SECONDS
    while (seen := found()) < rows and time.perf_counter() < until:
        time.sleep(0.1)
    return Stored(rows, seen, time.perf_counter() - began)


def measure_ingest(batches: int = 60) -> Ingest:
    """Spans by OTLP in batches of 512 (the SDK's size), log lines by Loki's push by the 1000; each unique."""
    spans, lines = [otlp_batch(512) for _ in range(batches)], [_loki_push(1000) for _ in range(batches)]
    with pocket() as process, httpx.Client(timeout=30) as client:
        traces = partial(_post, client, url(4318, "/v1/traces"), content_type="application/x-protobuf")
        logs = partial(_post, client, url(3100, "/loki/api/v1/push"), content_type="application/json")
        return Ingest(
            _stored(traces, spans, batches * 512, partial(_spans_found, client)),
            _stored(logs, lines, batches * 1000, partial(_lines_found, client)),
            resident_mib(process.pid),
        )
