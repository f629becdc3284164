"""Range vectors: log lines → numbered samples by series (pkg/logql/log/metrics_extraction.go)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket.query.errors import QueryFailure
from pocket.query.logql import ast, literals
from pocket.query.logql.record import ERROR, Record
from pocket.query.logql.source import LogSource
from pocket.query.logql.stages import label_filter
from pocket.query.logql.streams import records

LabelKey = tuple[tuple[str, str], ...]  # sorted

_CONVERSIONS: dict[str, Callable[[str], float]] = {
    "": literals.go_float,
    "bytes": literals.size_bytes,
    "duration": lambda text: literals.go_duration_ns(text) / 1e9,
    "duration_seconds": lambda text: literals.go_duration_ns(text) / 1e9,
}


class PipelineError(QueryFailure):
    """A line failed in the pipeline, and metrics must not be computed from what is left (400, as Loki)."""

    status = 400


@dataclass(slots=True)
class Samples:
    """One series' samples, oldest first."""

    t_ns: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


def select(
    source: LogSource, expr: ast.RangeAggregation, outer: ast.Grouping | None, start_ns: int, end_ns: int
) -> dict[LabelKey, Samples]:
    """All samples in (start, end], by labels. `outer` is the grouping of an enclosing `sum`, pushed down."""
    grouping = outer or expr.grouping
    if expr.op == "absent_over_time":
        grouping = ast.Grouping()
    measure, key = _measure(expr), _key(grouping, expr.log_range.unwrap)
    query = _without_idle_parsers(expr, grouping)
    collected: dict[LabelKey, tuple[list[int], list[float]]] = {}
    for record in records(source, query, start_ns + 1, end_ns + 1, newest_first=False):
        value = measure(record)
        if value is not None:
            times, values = collected.setdefault(key(record), ([], []))
            times.append(record.t_ns)
            values.append(value)
    return {
        labels: Samples(np.array(t, np.int64), np.array(v, np.float64)) for labels, (t, v) in collected.items()
    }


def _without_idle_parsers(expr: ast.RangeAggregation, grouping: ast.Grouping | None) -> ast.LogQuery:
    """Without labels in the answer and none asked for on the way, Loki parses nothing, so no line can fail."""
    query = expr.log_range.query
    lone = grouping is not None and not grouping.labels and not grouping.without
    needed = any(isinstance(stage, ast.FilterStage | ast.LineFormat | ast.LabelFormats) for stage in query.stages)
    if not lone or needed or expr.log_range.unwrap:
        return query
    parsers = ast.Json | ast.Logfmt | ast.Regexp | ast.Pattern
    return ast.LogQuery(query.matchers, tuple(stage for stage in query.stages if not isinstance(stage, parsers)))


# ---- a line's value
def _measure(expr: ast.RangeAggregation) -> Callable[[Record], float | None]:
    if expr.log_range.unwrap:
        return _unwrap(expr.log_range.unwrap)
    if expr.op in ("bytes_over_time", "bytes_rate"):
        return lambda record: float(len(record.line.encode()))
    return lambda _: 1.0


def _unwrap(unwrap: ast.Unwrap) -> Callable[[Record], float | None]:
    convert = _CONVERSIONS[unwrap.conversion]
    filters = [label_filter(condition) for condition in unwrap.filters]

    def run(record: Record) -> float | None:
        text = record.get(unwrap.label)
        if not text:
            return None  # a line without the label is no error (grafana/loki issue 6713)
        value = 0.0
        try:
            value = float(convert(text))
        except ValueError as error:
            record.fail("SampleExtractionErr", str(error))
        return value if all(keeps(record) for keeps in filters) else None

    return run


# ---- a line's series
def _key(grouping: ast.Grouping | None, unwrap: ast.Unwrap | None) -> Callable[[Record], LabelKey]:
    """The function that gives a record's series: without a grouping all its labels but the unwrapped one."""
    if grouping is not None and not grouping.without:
        return _checked(_by(tuple(sorted(set(grouping.labels)))))
    hidden = {*(grouping.labels if grouping else ()), *([unwrap.label] if unwrap else ())}
    return _checked(lambda record: _without(record, hidden))


def _by(names: tuple[str, ...]) -> Callable[[Record], LabelKey]:
    return lambda record: tuple([(name, value) for name in names if (value := record.get(name))])


def _without(record: Record, hidden: set[str]) -> LabelKey:
    return tuple(sorted(item for item in record.labels().items() if item[0] not in hidden and item[1]))


def _checked(key: Callable[[Record], LabelKey]) -> Callable[[Record], LabelKey]:
    def run(record: Record) -> LabelKey:
        if record.error:
            raise _pipeline_error(record.labels())
        return key(record)

    return run


def _pipeline_error(labels: dict[str, str]) -> PipelineError:
    series = ", ".join(f"{name}={literals.quoted(value)}" for name, value in sorted(labels.items()))
    kind = labels[ERROR]
    return PipelineError(
        f"pipeline error: '{kind}' for series: '{{{series}}}'.\n"
        f'Use a label filter to intentionally skip this error. (e.g | __error__!="{kind}").\n'
        'To skip all potential errors you can match empty errors.(e.g __error__="")\n'
        'The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )\n'
    )
