"""One data point, span or log record that is absurdly large: a clear answer, and memory that comes back."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

from tests.attacks.attack import Figure, Outcome, attack
from tests.attacks.checkout import Checkout, Pocket
from tests.attacks.traffic import attribute

MANY = 200_000
SETTLED = 15  # seconds
LEFT_MB = 80  # that memory may stay above what it was


def buckets() -> bytes:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.append(attribute("service.name", "s"))
    histogram = resource.scope_metrics.add().metrics.add(name="h")
    histogram.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    point = histogram.histogram.data_points.add(time_unix_nano=time.time_ns(), count=MANY)
    point.explicit_bounds.extend(range(MANY))
    point.bucket_counts.extend([1] * (MANY + 1))
    point.exemplars.add(time_unix_nano=time.time_ns(), as_double=5.0, trace_id=b"1" * 16, span_id=b"2" * 8)
    return request.SerializeToString()


def events() -> bytes:
    request, now = ExportTraceServiceRequest(), time.time_ns()
    span = request.resource_spans.add().scope_spans.add().spans.add(
        name="s", trace_id=b"1" * 16, span_id=b"2" * 8, start_time_unix_nano=now, end_time_unix_nano=now
    )  # fmt: skip
    for number in range(MANY):
        span.events.add(name="e", time_unix_nano=now).attributes.append(attribute(f"k{number}", "v"))
    return request.SerializeToString()


def attributes() -> bytes:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=time.time_ns())
    record.body.string_value = "x"
    record.attributes.extend(attribute(f"k{number}", "v" * 20) for number in range(MANY))
    return request.SerializeToString()


def spans() -> bytes:
    request, now = ExportTraceServiceRequest(), time.time_ns()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(MANY):
        scope.spans.add(
            trace_id=b"1" * 16, span_id=number.to_bytes(8, "big", signed=False) if number else b"x" * 8,
            start_time_unix_nano=now, end_time_unix_nano=now,
        )  # fmt: skip
    return request.SerializeToString()


BODIES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "buckets of a histogram": ("metrics", buckets),
    "events of a span": ("traces", events),
    "attributes of a log record": ("logs", attributes),
    "spans of a request": ("traces", spans),
}


@attack("two hundred thousand buckets, events, attributes, spans in one request")
def oversized(checkout: Checkout) -> Outcome:
    figures: dict[str, Figure] = {}
    held = True
    with checkout.pocket() as pocket:
        before = pocket.memory.now_mb()
        for what, (signal, body) in BODIES.items():
            answers = [_answer(pocket, signal, body()) for _ in range(3)]
            figures[what] = " | ".join(dict.fromkeys(answers))
            held &= not any(answer.startswith("5") for answer in answers)
        time.sleep(SETTLED)
        figures |= {"MB before": before, "peak MB": pocket.memory.peak_mb, "MB after": pocket.memory.now_mb()}
        return Outcome(held and pocket.memory.now_mb() <= before + LEFT_MB, figures)


def _answer(pocket: Pocket, signal: str, body: bytes) -> str:
    headers = {"content-type": "application/x-protobuf"}
    try:
        answer = httpx.post(pocket.url(4318, f"/v1/{signal}"), content=body, headers=headers, timeout=60)
    except httpx.TransportError as error:
        return f"5xx {type(error).__name__}"
    text = "".join(char for char in answer.content.decode(errors="replace") if char.isprintable())
    return f"{answer.status_code} {text[:90]}".strip()
