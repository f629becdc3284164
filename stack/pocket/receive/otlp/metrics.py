"""OTLP metrics to Prometheus' series (storage/remote/otlptranslator): cumulative only, delta is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from pocket.admission.bounds import Bounds
from pocket.admission.limits import BUCKETS, NAME, TEXT, TOO_LARGE, Allowance, Rejected, fitting, wrong_labels
from pocket.receive.otlp.attributes import attributes, flat
from pocket.receive.prometheus_names import label_name, le, metric_name, unit_name
from pocket.rows import STALE_NAN, Attributes, Exemplar, Labels, MetricMetadata, Sample

_CUMULATIVE = 2
_NO_RECORDED_VALUE = 1  # data point flag: the series has ended
_EXEMPLAR_TEXT = 128  # OpenMetrics' limit; beyond it Prometheus, too, keeps the ids alone
_IDENTITY = ("service.name", "service.namespace", "service.instance.id")
# Labels of every series: otlp.promote_resource_attributes of stack/prometheus/prometheus.yml.
PROMOTED = (*_IDENTITY, "service.version", "deployment.environment.name")


@dataclass(slots=True)
class Points:
    """What a request holds."""

    samples: list[Sample] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    metadata: list[MetricMetadata] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Source:
    """What every series of a resource has: `promoted` gives way to a point's own labels, `target` does not."""

    promoted: Labels
    target: Labels

    def labels(self, own: Labels) -> Labels:
        return {**self.promoted, **own, **self.target}


class _Intake:
    """What a request's points have in common: their bounds, what was refused, what they may become."""

    def __init__(self, bounds: Bounds, fits: Callable[[Any], bool]) -> None:
        self.bounds, self.fits, self.rejected, self._allowance = bounds, fits, Rejected(), Allowance()

    def labels(self, kind: str, point: Any, source: _Source) -> Labels | None:
        """A point's own labels with those of its source; None if it was refused."""
        series = _series(kind, point)
        problem = self._problem(kind, point, series)
        labels = source.labels(flat(attributes(point.attributes))) if problem is None else {}
        if problem := problem or wrong_labels(labels):
            self.rejected.add(f"data point {problem}")
            return None
        self._allowance.take(series, series * (len(labels) + 2))
        return labels

    def _problem(self, kind: str, point: Any, series: int) -> str | None:
        if not self.bounds.holds(point.time_unix_nano):
            return "outside of the history kept"
        if not self.fits(point):
            return TOO_LARGE
        if series > BUCKETS + 3 or (kind != "summary" and len(point.exemplars) > BUCKETS):
            return f"with more than {BUCKETS} buckets, quantiles or exemplars"
        return None


def points(request: Any, bounds: Bounds) -> tuple[Points, Rejected]:
    """The samples of an ExportMetricsServiceRequest. `rejected` counts data points.

    Raises BodyError for more than a request may hold.
    """
    result, intake = Points(), _Intake(bounds, fitting(request))
    for resource_metrics in request.resource_metrics:
        fits = intake.fits(resource_metrics.resource)
        resource = attributes(resource_metrics.resource.attributes) if fits else {}
        source = _Source(_promoted(resource), _target(resource))
        newest = 0
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                if fits:
                    newest = max(newest, _metric(metric, source, intake, result))
                else:
                    intake.rejected.add(f"data points of a resource {TOO_LARGE}", _count(metric))
        if newest and source.target:
            info = {"__name__": "target_info", **_described(resource), **source.target}
            result.samples.append(Sample(info, newest, 1.0))
    return result, intake.rejected


def _target(resource: Attributes) -> Labels:
    name, namespace = resource.get("service.name"), resource.get("service.namespace")
    job = f"{namespace}/{name}" if namespace and name else name
    pairs = {"job": job, "instance": resource.get("service.instance.id")}
    return {key: str(value) for key, value in pairs.items() if value}


def _promoted(resource: Attributes) -> Labels:
    return flat({key: resource[key] for key in PROMOTED if key in resource})


def _described(resource: Attributes) -> Labels:
    return flat({key: value for key, value in resource.items() if key not in _IDENTITY})


def _metric(metric: Any, source: _Source, intake: _Intake, result: Points) -> int:
    """Adds one metric's points and returns the newest time among them, in ms (0: none)."""
    kind = metric.WhichOneof("data")
    if kind is None:
        return 0
    data = getattr(metric, kind)
    if problem := _refused(metric, kind, data):
        intake.rejected.add(problem, len(data.data_points))
        return 0
    counter = kind == "sum" and data.is_monotonic
    name = metric_name(metric.name, metric.unit, counter=counter, gauge=kind == "gauge")
    described = "counter" if counter else "gauge" if kind in ("gauge", "sum") else kind
    result.metadata.append(MetricMetadata(name, described, metric.description, unit_name(metric.unit)))
    newest = 0
    for point in data.data_points:
        if (labels := intake.labels(kind, point, source)) is not None:
            t_ms = point.time_unix_nano // 10**6
            _point(kind, name, point, t_ms, labels, result)
            newest = max(newest, t_ms)
    return newest


def _refused(metric: Any, kind: str, data: Any) -> str | None:
    """Why no point of the metric can be taken."""
    if kind == "exponential_histogram":
        return "exponential histograms are not supported"
    if kind in ("sum", "histogram") and data.aggregation_temporality != _CUMULATIVE:
        return "delta temporality is not supported, send cumulative metrics"
    if len(metric.name) > NAME or len(metric.description) > TEXT or len(metric.unit) > NAME:
        return (
            f"data points of a metric with a name of more than {NAME} or a description of more than {TEXT} bytes"
        )
    return None


def _count(metric: Any) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def _series(kind: str, point: Any) -> int:
    """How many series a data point becomes."""
    if kind == "histogram":
        return max(len(point.bucket_counts), len(point.explicit_bounds)) + 3
    return len(point.quantile_values) + 2 if kind == "summary" else 1


def _point(kind: str, name: str, point: Any, t_ms: int, labels: Labels, result: Points) -> None:
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
        if sum(map(len, own)) + sum(map(len, own.values())) > _EXEMPLAR_TEXT:
            own = {}
        if item.trace_id:
            own |= {"trace_id": item.trace_id.hex(), "span_id": item.span_id.hex()}
        series = {"__name__": name, **labels}
        if kind == "histogram":
            bound = next((le(b) for b in point.explicit_bounds if value <= b), "+Inf")
            series = {"__name__": f"{name}_bucket", **labels, "le": bound}
        yield Exemplar(series, own, value, (item.time_unix_nano or point.time_unix_nano) // 10**6)
