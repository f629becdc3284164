"""Telemetry as a stage sends it, made here: traces, log lines, profiles, and series to scrape."""

from __future__ import annotations

import contextlib
import http.server
import json
import random
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tests.attacks.checkout import Pocket

SERVICES = ("frontend", "dice-roller", "die-service", "usage-service")
PUSH = "/loki/api/v1/push"
_PROTOBUF = {"content-type": "application/x-protobuf"}


def attribute(key: str, text: str) -> KeyValue:
    result = KeyValue(key=key)
    result.value.string_value = text
    return result


def spans(rolls: int) -> bytes:
    """An ExportTraceServiceRequest of `rolls` traces, a span in every service."""
    request, now = ExportTraceServiceRequest(), time.time_ns()
    ids = [(secrets.token_bytes(16), [secrets.token_bytes(8) for _ in SERVICES]) for _ in range(rolls)]
    for place, service in enumerate(SERVICES):
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.append(attribute("service.name", service))
        scope = resource_spans.scope_spans.add()
        for trace_id, span_ids in ids:
            span = scope.spans.add(
                name=f"GET /{service}", kind=2 + place % 2, trace_id=trace_id, span_id=span_ids[place],
                parent_span_id=span_ids[place - 1] if place else b"",
                start_time_unix_nano=now - random.randrange(10**7), end_time_unix_nano=now,
            )  # fmt: skip
            span.attributes.extend(
                attribute(key, key * 2) for key in ("http.request.method", "url.path", "dice.die_type")
            )
            span.attributes.append(attribute("roll.id", span_ids[0].hex()))
    return request.SerializeToString()


def line(service: str, **fields: Any) -> str:
    """A service's log line, unlike any other."""
    now = datetime.now(UTC).isoformat()
    own = {"timestamp": now, "level": "info", "service": service, "trace_id": secrets.token_hex(16)}
    return json.dumps({**own, "span_id": secrets.token_hex(8), "message": "rolled a die", **fields})


def push(streams: Sequence[tuple[dict[str, str], Sequence[str]]]) -> dict[str, Any]:
    """Loki's push of lines that arrive now, one nanosecond apart."""
    now = time.time_ns()
    return {
        "streams": [
            {"stream": labels, "values": [[str(now + n), text] for n, text in enumerate(lines)]}
            for labels, lines in streams
        ]
    }


def shipped(service: str) -> dict[str, str]:
    """The labels that the shipper gives a service's lines."""
    return {"container_name": f"attack-{service}-1", "compose_service": service}


def send(client: httpx.Client, pocket: Pocket, rolls: int) -> None:
    """What `rolls` rolls leave: their traces, and two log lines in every service."""
    answer = client.post(pocket.url(4318, "/v1/traces"), content=spans(rolls), headers=_PROTOBUF)
    answer.raise_for_status()
    lines = [(shipped(each), [line(each, n=n) for n in range(2 * rolls)]) for each in SERVICES]
    client.post(pocket.url(12345, PUSH), json=push(lines)).raise_for_status()


def lines_stored(client: httpx.Client, pocket: Pocket, selector: str) -> int:
    query = {"query": f"sum(count_over_time({selector}[1h]))", "time": str(time.time() + 60)}
    answer = client.get(pocket.url(3100, "/loki/api/v1/query"), params=query, timeout=240).raise_for_status()
    result = answer.json()["data"]["result"]
    return int(float(result[0]["value"][1])) if result else 0


def counter(client: httpx.Client, pocket: Pocket, name: str) -> int:
    """The sum of one of pocket's own counters, 0 where it has none."""
    text = client.get(pocket.url(9090, "/metrics")).text
    return int(sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.partition("{")[0] == name))


def look(client: httpx.Client, pocket: Pocket) -> None:
    """What an open dashboard asks at every refresh."""
    end = time.time()
    window = {"start": str(end - 300), "end": str(end)}
    for query in ("sum by (service) (rate(traces_spanmetrics_calls_total[1m]))", "rate(work_total[1m])"):
        client.get(pocket.url(9090, "/api/v1/query_range"), params={"query": query, "step": "5", **window})
    logs = {"query": '{service_name="dice-roller"} | json', "limit": "100", **window}
    client.get(pocket.url(3100, "/loki/api/v1/query_range"), params=logs)
    traces: dict[str, str | int] = {
        "q": '{resource.service.name="die-service"}',
        "start": int(end - 300),
        "end": int(end),
    }
    client.get(pocket.url(3200, "/api/search"), params=traces)


def scrape_config(folder: Path, port: int) -> Path:
    """A prometheus.yml that names the target."""
    config = folder / "prometheus.yml"
    jobs = f'scrape_configs: [{{job_name: work, static_configs: [{{targets: ["localhost:{port}"]}}]}}]'
    config.write_text(f"global: {{scrape_interval: 5s, scrape_timeout: 4s}}\n{jobs}\n")
    return config


@contextlib.contextmanager
def target(series: int) -> Iterator[int]:
    """A service with counters to scrape; its port."""

    class Exposition(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            now = int(time.time())
            body = "# TYPE work_total counter\n" + "".join(
                f'work_total{{n="{n}"}} {now + n}\n' for n in range(series)
            )
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exposition)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
