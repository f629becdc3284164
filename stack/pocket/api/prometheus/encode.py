"""Query results in the JSON of Prometheus' API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pocket.query import promql
from pocket.query.numbers import json_value
from pocket.query.promql.labels import Key, key
from pocket.rows import Exemplar, Labels, MetricMetadata, Series


def seconds(ms: int) -> int | float:
    """Written without a fraction if there is none, as Prometheus does."""
    return ms // 1000 if ms % 1000 == 0 else ms / 1000


def ordered(labels: Labels) -> Labels:
    """By name, as Prometheus writes them."""
    return dict(sorted(labels.items()))


def query_data(result: promql.InstantResult) -> dict[str, Any]:
    """`{resultType, result}` of an instant or range query."""
    match result:
        case promql.Scalar():
            return {"resultType": "scalar", "result": [seconds(result.t_ms), json_value(result.value)]}
        case promql.String():
            return {"resultType": "string", "result": [seconds(result.t_ms), result.value]}
        case promql.Vector():
            t = seconds(result.t_ms)
            rows = [{"metric": ordered(s.labels), "value": [t, json_value(s.value)]} for s in result.samples]
            return {"resultType": "vector", "result": rows}
        case promql.Matrix():
            return {"resultType": "matrix", "result": [_series(one) for one in result.series]}


def _series(series: Series) -> dict[str, Any]:
    times = map(seconds, series.t_ms.tolist())
    values = map(json_value, series.values.tolist())
    return {"metric": ordered(series.labels), "values": list(zip(times, values, strict=True))}


def exemplars(found: Iterable[Exemplar]) -> list[dict[str, Any]]:
    """Grouped by series, which are ordered by labels; oldest first, each once."""
    groups: dict[Key, dict[tuple[int, float, Key], Exemplar]] = {}
    for one in sorted(found, key=lambda one: one.t_ms):
        groups.setdefault(key(one.series), {})[one.t_ms, one.value, key(one.labels)] = one
    return [
        {"seriesLabels": dict(series), "exemplars": [_exemplar(one) for one in group.values()]}
        for series, group in sorted(groups.items())
    ]


def _exemplar(one: Exemplar) -> dict[str, Any]:
    return {"labels": one.labels, "value": json_value(one.value), "timestamp": seconds(one.t_ms)}


def metadata(
    entries: Sequence[MetricMetadata], metric: str, limit: int | None, per_metric: int | None
) -> dict[str, list[dict[str, str]]]:
    """By metric name; None is no limit, a limit per metric below 1 neither."""
    result: dict[str, list[dict[str, str]]] = {}
    for entry in entries:
        if metric and entry.name != metric:
            continue
        if entry.name not in result and limit is not None and 0 <= limit <= len(result):
            continue
        texts = result.setdefault(entry.name, [])
        if per_metric is None or per_metric < 1 or len(texts) < per_metric:
            texts.append({"type": entry.type, "help": entry.help, "unit": entry.unit})
    return result
