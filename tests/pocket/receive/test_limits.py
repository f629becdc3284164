"""Items that are absurdly large: refused for good with a reason, whatever they are, and the rest is taken."""

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

from pocket.admission import limits
from pocket.admission.bounds import Bounds
from pocket.admission.log_entries import check
from pocket.asgi.body import BodyError
from pocket.receive.loki import decode
from pocket.receive.otlp import logs, metrics, traces
from pocket.rows import LogEntry

MUCH = limits.ITEM_BYTES // 4


def attribute(key: str, text: str) -> KeyValue:
    result = KeyValue(key=key)
    result.value.string_value = text
    return result


def histogram(now: int, buckets: int) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="h")
    metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    for bounds in (range(buckets), range(3)):
        point = metric.histogram.data_points.add(time_unix_nano=now, count=buckets)
        point.explicit_bounds.extend(bounds)
        point.bucket_counts.extend([1] * (len(bounds) + 1))
    return request


@pytest.mark.parametrize("buckets", [limits.BUCKETS + 5, 200_000])
def test_buckets(now: int, bounds: Bounds, buckets: int) -> None:
    points, rejected = metrics.points(histogram(now, buckets), bounds)
    assert rejected.count == 1
    assert "buckets" in rejected.message or "larger than 256 KiB" in rejected.message
    assert len(points.samples) == 5  # the other point's


def test_as_many_buckets_as_may_be(now: int, bounds: Bounds) -> None:
    points, rejected = metrics.points(histogram(now, limits.BUCKETS - 1), bounds)
    assert (rejected.count, len(points.samples)) == (0, limits.BUCKETS + 1 + 5)


@pytest.mark.parametrize("labels", [{f"k{n}": "v" for n in range(200)}, {"k": "v" * 3000}, {"k" * 2000: "v"}])
def test_labels_of_a_data_point(now: int, bounds: Bounds, labels: dict[str, str]) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    point = metric.gauge.data_points.add(time_unix_nano=now, as_int=1)
    point.attributes.extend(attribute(*pair) for pair in labels.items())
    metric.gauge.data_points.add(time_unix_nano=now, as_int=2)
    points, rejected = metrics.points(request, bounds)
    assert (rejected.count, [sample.value for sample in points.samples]) == (1, [2.0])
    assert "label" in rejected.message


def test_labels_times_buckets_are_more_than_a_request_may_hold(now: int, bounds: Bounds) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="h")
    metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    for _ in range(20):
        point = metric.histogram.data_points.add(time_unix_nano=now)
        point.explicit_bounds.extend(range(limits.BUCKETS - 1))
        point.attributes.extend(attribute(f"k{n}", "v") for n in range(100))
    with pytest.raises(BodyError, match="more than 1000000 labels or frames") as refused:
        metrics.points(request, bounds)
    assert refused.value.status == 413


def spoilt(span: Any) -> dict[str, Callable[[], Any]]:
    return {
        "events": lambda: [span.events.add(name="event") for _ in range(MUCH)],
        "links": lambda: [span.links.add(trace_id=b"1" * 16, span_id=b"2" * 8) for _ in range(MUCH)],
        "attributes": lambda: span.attributes.extend(attribute(f"k{n}", "v") for n in range(MUCH)),
        "a name": lambda: setattr(span, "name", "x" * (1 << 20)),
    }


@pytest.mark.parametrize("what", ["events", "links", "attributes", "a name"])
def test_spans(now: int, bounds: Bounds, what: str) -> None:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(2):
        scope.spans.add(
            trace_id=b"1" * 16, span_id=bytes([number + 1]) * 8, start_time_unix_nano=now, end_time_unix_nano=now
        )
    spoilt(scope.spans[0])[what]()
    rows, rejected = traces.spans(request, bounds)
    assert [row.span_id for row in rows] == ["02" * 8]
    assert rejected.message == "span larger than 256 KiB (1)"


def test_a_resource(now: int, bounds: Bounds) -> None:
    for signal in ("traces", "logs", "metrics"):
        request, take = _resource(signal, now)
        rows, rejected = take(request, bounds)
        assert rejected.count == 1, signal
        assert "larger than 256 KiB" in rejected.message
        assert not (rows.samples if signal == "metrics" else rows)


def _resource(signal: str, now: int) -> tuple[Any, Any]:
    request: Any
    take: Any
    if signal == "traces":
        request, take = ExportTraceServiceRequest(), traces.spans
        within = request.resource_spans.add()
        within.scope_spans.add().spans.add(trace_id=b"1" * 16, span_id=b"2" * 8, start_time_unix_nano=now)
    elif signal == "logs":
        request, take = ExportLogsServiceRequest(), logs.entries
        within = request.resource_logs.add()
        within.scope_logs.add().log_records.add(time_unix_nano=now)
    else:
        request, take = ExportMetricsServiceRequest(), metrics.points
        within = request.resource_metrics.add()
        within.scope_metrics.add().metrics.add(name="m").gauge.data_points.add(time_unix_nano=now, as_int=1)
    within.resource.attributes.append(attribute("k", "v" * (1 << 20)))
    return request, take


@pytest.mark.parametrize("metadata", [{f"k{n}": "v" for n in range(200)}, {"k": "v" * 70_000}])
def test_structured_metadata(now: int, bounds: Bounds, metadata: dict[str, str]) -> None:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=now)
    record.attributes.extend(attribute(*pair) for pair in metadata.items())
    rows, rejected = logs.entries(request, bounds)
    assert (rows, rejected.count) == ([], 1)
    assert "structured metadata of more than" in rejected.message
    good, wrong = check([LogEntry({"a": "b"}, now, "x", metadata), LogEntry({"a": "b"}, now, "x", {})], bounds)
    assert len(good) == 1
    assert "structured metadata of more than" in str(wrong)


def test_rows_of_a_request(now: int, bounds: Bounds) -> None:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for _ in range(limits.ROWS + 1):
        spans.add()
    with pytest.raises(BodyError, match="more than 100000 rows in a request"):
        traces.spans(request, bounds)
    body = b'{"streams":[{"stream":{"a":"b"},"values":[' + b",".join([b'["1","x"]'] * (limits.ROWS + 1)) + b"]}]}"
    with pytest.raises(BodyError, match="more than 100000 rows in a request") as refused:
        decode(body, "application/json", 1 << 24)
    assert refused.value.status == 413
