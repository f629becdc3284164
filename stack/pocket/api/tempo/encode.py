"""Search results and time series in Tempo's JSON (gogo jsonpb: defaults left out, 64-bit as strings)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pocket.api.tempo.otlp import any_value, value_json
from pocket.api.times import go_duration
from pocket.query import traceql
from pocket.query.traceql.check import INTRINSIC_TYPES
from pocket.query.traceql.series import Series
from pocket.query.traceql.spansets import Spanset
from pocket.query.traceql.trace import NO_ROOT, Trace
from pocket.rows import Span

Json = dict[str, Any]
SPANS_PER_SET = 3  # Tempo's default


# ---- search
def results(found: Iterable[traceql.Match], spans_per_set: int) -> list[Json]:
    """Hits of a search; `spans_per_set` 0 is the default."""
    return [_result(match, spans_per_set) for match in found]


def _result(match: traceql.Match, spans_per_set: int) -> Json:
    sets = [_span_set(spanset, match, spans_per_set) for spanset in match.spansets]
    return {
        **summary(match.trace),
        "spanSet": sets[0],
        "spanSets": sets,
        "serviceStats": match.trace.service_stats(),
    }


def summary(trace: Trace) -> Json:
    """What a search tells of each trace."""
    head: Json = {"traceID": trace.trace_id.lstrip("0") or "0", "rootServiceName": trace.root_service}
    if trace.root_name != NO_ROOT:
        head["rootTraceName"] = trace.root_name
    head["startTimeUnixNano"] = str(trace.start_ns)
    if trace.duration_ns >= 10**6:
        head["durationMs"] = trace.duration_ns // 10**6
    return head


def _span_set(spanset: Spanset, match: traceql.Match, spans_per_set: int) -> Json:
    shown = [_span(span, match) for span in spanset.spans[: spans_per_set or SPANS_PER_SET]]
    body: Json = {"spans": shown, "matched": len(spanset.spans)}
    if spanset.attributes:
        body["attributes"] = [key_value(name, value) for name, value in spanset.attributes.items()]
    return body


def _span(span: Span, match: traceql.Match) -> Json:
    values = {name: shown.value(span, match.trace) for name, shown in match.fields.items()}
    body: Json = {"spanID": span.span_id}
    if values.pop("name", None):
        body["name"] = span.name
    body["startTimeUnixNano"] = str(span.start_ns)
    if span.duration_ns:
        body["durationNanos"] = str(span.duration_ns)
    attributes = [key_value(name, value) for name, value in values.items() if value is not None]
    return {**body, "attributes": attributes} if attributes else body


def key_value(name: str, value: Any) -> Json:
    """A field in a result; durations are shown as Go prints them, and what is missing as nil."""
    inner = name.rpartition("(")[2].rstrip(")")
    if value is None:
        value = "nil"
    elif INTRINSIC_TYPES.get(inner) == "duration" and isinstance(value, int | float):
        value = go_duration(int(value))
    return {"key": name, "value": value_json(any_value(value))}


# ---- metrics
def series(found: Iterable[Series], op: str) -> list[Json]:
    """A range query's series: samples oldest first."""
    return [
        {"labels": _labels(item, op), "samples": [_sample(t, value) for t, value in item.samples], "exemplars": []}
        for item in found
    ]


def instant_series(found: Iterable[Series], op: str) -> list[Json]:
    """The last value of each series."""
    return [{"labels": _labels(item, op), **_value(item.samples[-1][1])} for item in found]


def _sample(t_ms: int, value: float) -> Json:
    return {"timestampMs": str(t_ms), **_value(value)}


def _value(value: float) -> Json:
    """Zero is left out, what JSON has no number for is text."""
    if math.isfinite(value):
        return {"value": value} if value else {}
    return {"value": "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")}


def _labels(item: Series, op: str) -> list[Json]:
    return [key_value(name, value) for name, value in item.labels or (("__name__", op),)]
