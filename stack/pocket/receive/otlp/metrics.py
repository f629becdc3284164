"""OTLP metrics to Prometheus' series (storage/remote/otlptranslator): cumulative only, delta is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from pocket.receive.bounds import Bounds
from pocket.receive.names import label_name, metric_name, unit_name
from pocket.receive.otlp.attributes import attributes
from pocket.receive.otlp.logs import flat
from pocket.receive.otlp.rejected import Rejected
from pocket.rows import STALE_NAN, Attributes, Exemplar, Labels, MetricMetadata, Sample

_CUMULATIVE = 2
_NO_RECORDED_VALUE = 1  # data point flag: the series has ended
_IDENTITY = {"service.name", "service.namespace", "service.instance.id"}


@dataclass(slots=True)
class Points:
    """What a request holds."""

    samples: list[Sample] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    metadata: list[MetricMetadata] = field(default_factory=list)


def points(request: Any, bounds: Bounds) -> tuple[Points, Rejected]:
    """The samples of an ExportMetricsServiceRequest. `rejected` counts data points."""
    result, rejected = Points(), Rejected()
    for resource_metrics in request.resource_metrics:
        resource = attributes(resource_metrics.resource.attributes)
        target = _target(resource)
        newest = 0
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                newest = max(newest, _metric(metric, target, bounds, result, rejected))
        if newest and target:
            info = {"__name__": "target_info", **_described(resource), **target}
            result.samples.append(Sample(info, newest, 1.0))
    return result, rejected


def _target(resource: Attributes) -> Labels:
    name, namespace = resource.get("service.name"), resource.get("service.namespace")
    job = f"{namespace}/{name}" if namespace and name else name
    pairs = {"job": job, "instance": resource.get("service.instance.id")}
    return {key: str(value) for key, value in pairs.items() if value}


def _described(resource: Attributes) -> Labels:
    return flat({key: value for key, value in resource.items() if key not in _IDENTITY})


def _metric(metric: Any, target: Labels, bounds: Bounds, result: Points, rejected: Rejected) -> int:
    """Adds one metric's points and returns the newest time among them, in ms (0: none)."""
    kind = metric.WhichOneof("data")
    if kind is None:
        return 0
    data = getattr(metric, kind)
    if kind == "exponential_histogram":
        rejected.add("exponential histograms are not supported", len(data.data_points))
        return 0
    if kind in ("sum", "histogram") and data.aggregation_temporality != _CUMULATIVE:
        rejected.add("delta temporality is not supported, send cumulative metrics", len(data.data_points))
        return 0
    counter = kind == "sum" and data.is_monotonic
    name = metric_name(metric.name, metric.unit, counter=counter, gauge=kind == "gauge")
    described = "counter" if counter else "gauge" if kind in ("gauge", "sum") else kind
    result.metadata.append(MetricMetadata(name, described, metric.description, unit_name(metric.unit)))
    newest = 0
    for point in data.data_points:
        if bounds.holds(point.time_unix_nano):
            t_ms = point.time_unix_nano // 10**6
            _point(kind, name, point, t_ms, target, result)
            newest = max(newest, t_ms)
        else:
            rejected.add("data point outside of the history kept")
    return newest


def _point(kind: str, name: str, point: Any, t_ms: int, target: Labels, result: Points) -> None:
    labels = {**flat(attributes(point.attributes)), **target}
    stale = point.flags & _NO_RECORDED_VALUE
    if kind == "histogram":
        parts: Iterable[tuple[Labels, float]] = _histogram(name, labels, point)
    elif kind == "summary":
        parts = _summary(name, labels, point)
    else:
        value = point.as_double if point.WhichOneof("value") == "as_double" else float(point.as_int)
        parts = [({"__name__": name, **labels}, value)]
    result.samples += [Sample(series, t_ms, STALE_NAN if stale else value) for series, value in parts]
    if kind != "summary":
        result.exemplars += _exemplars(kind, name, labels, point)


def _histogram(name: str, labels: Labels, point: Any) -> Iterator[tuple[Labels, float]]:
    bounds = [*map(le, point.explicit_bounds), "+Inf"]
    for bound, count in zip(bounds[:-1], accumulate(point.bucket_counts), strict=False):
        yield {"__name__": f"{name}_bucket", **labels, "le": bound}, float(count)
    yield {"__name__": f"{name}_bucket", **labels, "le": "+Inf"}, float(point.count)
    yield {"__name__": f"{name}_count", **labels}, float(point.count)
    if point.HasField("sum"):
        yield {"__name__": f"{name}_sum", **labels}, point.sum


def _summary(name: str, labels: Labels, point: Any) -> Iterator[tuple[Labels, float]]:
    for item in point.quantile_values:
        yield {"__name__": name, **labels, "quantile": le(item.quantile)}, item.value
    yield {"__name__": f"{name}_count", **labels}, float(point.count)
    yield {"__name__": f"{name}_sum", **labels}, point.sum


def _exemplars(kind: str, name: str, labels: Labels, point: Any) -> Iterator[Exemplar]:
    for item in point.exemplars:
        value = item.as_double if item.WhichOneof("value") == "as_double" else float(item.as_int)
        own = {label_name(key): str(text) for key, text in attributes(item.filtered_attributes).items()}
        if item.trace_id:
            own |= {"trace_id": item.trace_id.hex(), "span_id": item.span_id.hex()}
        series = {"__name__": name, **labels}
        if kind == "histogram":
            bound = next((le(b) for b in point.explicit_bounds if value <= b), "+Inf")
            series = {"__name__": f"{name}_bucket", **labels, "le": bound}
        yield Exemplar(series, own, value, (item.time_unix_nano or point.time_unix_nano) // 10**6)


def le(bound: float) -> str:
    """A bucket's bound as Prometheus 3 writes it: always a float, `1.0`, `0.005`, `+Inf`."""
    return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(bound, repr(float(bound)))
