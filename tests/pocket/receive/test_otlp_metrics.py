import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from pocket.admission.bounds import Bounds
from pocket.receive.otlp.metrics import PROMOTED, points
from pocket.receive.prometheus_names import label_name, metric_name
from pocket.rows import MetricMetadata

TARGET = {"job": "ns/roller", "instance": "i1"}
PROMOTED_LABELS = {
    "service_name": "roller", "service_namespace": "ns", "service_instance_id": "i1", "service_version": "1"
}  # fmt: skip
PROMETHEUS = Path(__file__).parents[3] / "stack/prometheus/prometheus.yml"


def request(**metric: Any) -> ExportMetricsServiceRequest:
    result = ExportMetricsServiceRequest()
    resource_metrics = result.resource_metrics.add()
    for key, value in {"service.name": "roller", "service.namespace": "ns", "service.instance.id": "i1",
                       "service.version": "1"}.items():  # fmt: skip
        resource_metrics.resource.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    resource_metrics.scope_metrics.add().metrics.add(**metric)
    return result


def values(found: Any) -> dict[str, float]:
    return {
        s.labels["__name__"] + (f"/{s.labels['le']}" if "le" in s.labels else ""): s.value for s in found.samples
    }


@pytest.mark.parametrize(
    ("name", "unit", "counter", "gauge", "expected"),
    [
        ("http.server.request.duration", "s", False, False, "http_server_request_duration_seconds"),
        ("system.io", "By", True, False, "system_io_bytes_total"),
        ("my_total.requests", "", True, False, "my_requests_total"),
        ("cpu.utilization", "1", False, True, "cpu_utilization_ratio"),
        ("speed", "m/s", False, True, "speed_meters_per_second"),
        ("rolls", "{roll}", True, False, "rolls_total"),
        ("a__b..c", "", False, True, "a_b_c"),
        ("1st", "", False, True, "_1st"),
        ("latency_seconds", "s", False, False, "latency_seconds"),
    ],
)
def test_metric_names(name: str, unit: str, counter: bool, gauge: bool, expected: str) -> None:
    assert metric_name(name, unit, counter=counter, gauge=gauge) == expected


def test_label_names() -> None:
    assert [label_name(n) for n in ("a.b", "1a", "ok_1", "ü")] == ["a_b", "key_1a", "ok_1", "_"]


def test_a_cumulative_sum_is_a_counter_with_target_info(now: int, bounds: Bounds) -> None:
    point = {
        "time_unix_nano": now,
        "as_int": 7,
        "attributes": [KeyValue(key="a.b", value=AnyValue(bool_value=True))],
    }
    found, rejected = points(
        request(name="rolls", description="d", sum={"aggregation_temporality": 2, "is_monotonic": True,
                                                    "data_points": [point]}), bounds
    )  # fmt: skip
    assert rejected.count == 0
    counter, info = found.samples
    assert counter.labels == {"__name__": "rolls_total", "a_b": "true", **PROMOTED_LABELS, **TARGET}
    assert (counter.value, counter.t_ms) == (7.0, now // 10**6)
    assert info.labels == {"__name__": "target_info", "service_version": "1", **TARGET}
    assert found.metadata == [MetricMetadata("rolls_total", "counter", "d", "")]


def test_a_points_own_label_goes_before_a_promoted_one(now: int, bounds: Bounds) -> None:
    own = [KeyValue(key="service.version", value=AnyValue(string_value="own"))]
    gauge = {"data_points": [{"time_unix_nano": now, "as_int": 1, "attributes": own}]}
    found, _ = points(request(name="g", gauge=gauge), bounds)
    assert found.samples[0].labels["service_version"] == "own"


def test_the_same_attributes_are_promoted_as_in_prometheus() -> None:
    config = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))
    assert tuple(config["otlp"]["promote_resource_attributes"]) == PROMOTED


def test_a_histogram_has_cumulative_buckets_and_exemplars(now: int, bounds: Bounds) -> None:
    exemplar = {"as_double": 0.3, "time_unix_nano": now, "trace_id": b"1" * 16, "span_id": b"2" * 8}
    point = {
        "time_unix_nano": now, "count": 6, "sum": 2.5, "explicit_bounds": [0.1, 1.0], "bucket_counts": [1, 2, 3],
        "exemplars": [exemplar],
    }  # fmt: skip
    found, _ = points(
        request(name="t", unit="s", histogram={"aggregation_temporality": 2, "data_points": [point]}), bounds
    )
    assert values(found) == {
        "t_seconds_bucket/0.1": 1, "t_seconds_bucket/1.0": 3, "t_seconds_bucket/+Inf": 6, "t_seconds_count": 6,
        "t_seconds_sum": 2.5, "target_info": 1,
    }  # fmt: skip
    [own] = found.exemplars
    assert own.series["le"] == "1.0"
    assert own.labels == {"trace_id": (b"1" * 16).hex(), "span_id": (b"2" * 8).hex()}


def test_gauge_summary_and_the_end_of_a_series(now: int, bounds: Bounds) -> None:
    found, _ = points(
        request(name="g", gauge={"data_points": [{"time_unix_nano": now, "as_double": math.inf}]}), bounds
    )
    assert values(found)["g"] == math.inf
    found, _ = points(request(name="g", gauge={"data_points": [{"time_unix_nano": now, "flags": 1}]}), bounds)
    assert math.isnan(values(found)["g"])
    point = {"time_unix_nano": now, "count": 2, "sum": 3.0, "quantile_values": [{"quantile": 0.5, "value": 1.0}]}
    found, _ = points(request(name="s", summary={"data_points": [point]}), bounds)
    assert {(s.labels["__name__"], s.labels.get("quantile")) for s in found.samples} >= {
        ("s", "0.5"), ("s_count", None), ("s_sum", None)
    }  # fmt: skip


@pytest.mark.parametrize(
    "metric",
    [
        {"sum": {"aggregation_temporality": 1, "data_points": [{"as_int": 1}]}},
        {"histogram": {"aggregation_temporality": 1, "data_points": [{"count": 1}]}},
        {"exponential_histogram": {"aggregation_temporality": 2, "data_points": [{"count": 1}]}},
        {"gauge": {"data_points": [{"time_unix_nano": 5, "as_int": 1}]}},
    ],
)
def test_what_prometheus_could_not_keep_is_rejected(metric: dict[str, Any], bounds: Bounds) -> None:
    found, rejected = points(request(name="m", **metric), bounds)
    assert found.samples == []
    assert rejected.count == 1
