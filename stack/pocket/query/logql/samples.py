"""Range vectors: log lines → numbered samples by series (pkg/logql/log/metrics_extraction.go)."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket.budget import current, size_of
from pocket.query.durations import go_duration_ns
from pocket.query.errors import QueryFailure
from pocket.query.logql import ast, literals, wanted
from pocket.query.logql.levels import with_level
from pocket.query.logql.record import ERROR, Record
from pocket.query.logql.source import LogSource
from pocket.query.logql.stages import label_filter, pipeline
from pocket.query.logql.streams import records
from pocket.query.numbers import go_float
from pocket.query.quoting import quoted

LabelKey = tuple[tuple[str, str], ...]  # sorted

MAX_SERIES = 500  # Loki's max_query_series
_TOO_MANY = (
    f"maximum number of series ({MAX_SERIES}) reached for a single query; consider reducing query cardinality by "
    "adding more specific stream selectors, reducing the time range, or aggregating results with functions like "
    "sum(), count() or topk()"
)
_BYTES_A_SERIES, _BYTES_A_SAMPLE = 600, 32  # while they are sorted there are two of each sample

_CONVERSIONS: dict[str, Callable[[str], float]] = {
    "": go_float,
    "bytes": literals.size_bytes,
    "duration": lambda text: go_duration_ns(text) / 1e9,
    "duration_seconds": lambda text: go_duration_ns(text) / 1e9,
}


class PipelineError(QueryFailure):
    """A line failed in the pipeline, and metrics must not be computed from what is left (400, as Loki)."""

    status = 400


class SeriesLimit(QueryFailure):
    status = 400


def limit_series(count: int, most: int | None = MAX_SERIES) -> None:
    if most is not None and count > most:
        raise SeriesLimit(_TOO_MANY)


@dataclass(slots=True)
class Samples:
    """One series' samples, oldest first."""

    t_ns: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


def select(
    source: LogSource, expr: ast.RangeAggregation, outer: ast.Grouping | None, start_ns: int, end_ns: int,
    most: int | None = None, seen: Callable[[int], bool] = lambda _: True,
) -> dict[LabelKey, Samples]:  # fmt: skip
    """All samples in (start, end], by labels. `outer` is the grouping of an enclosing `sum`, pushed down.

    More than `most` series raise SeriesLimit as soon as they are there; a line that failed raises PipelineError if
    it was `seen`, which one between two windows is not.
    """
    grouping = outer or expr.grouping
    if expr.op == "absent_over_time":
        grouping = ast.Grouping()
    query, names = _without_idle_parsers(expr, grouping), wanted.labels(expr, grouping)
    measure, key = _measure(expr), _key(grouping, expr.log_range.unwrap)
    collected: dict[LabelKey, _Collected] = {}
    budget = current()
    for record in records(source, query, start_ns + 1, end_ns + 1, newest_first=None, names=names):
        value = measure(record)
        if value is not None:
            if record.error:
                if not seen(record.t_ns):
                    continue
                raise _pipeline_error(_complete(record, query, measure))
            labels = key(record)
            series = collected.get(labels)
            if series is None:
                limit_series(len(collected) + 1, most)
                budget.hold(_BYTES_A_SERIES + sum(size_of(*pair) for pair in labels))
                series = collected[labels] = _Collected()
            series.times.append(record.t_ns)
            series.values.append(value)
            budget.hold(_BYTES_A_SAMPLE)
    return {labels: series.sorted() for labels, series in sorted(collected.items())}


def _complete(record: Record, query: ast.LogQuery, measure: Callable[[Record], float | None]) -> dict[str, str]:
    """All labels of a line that failed, also those that the query did not ask for."""
    whole = pipeline(query.stages)(with_level(record.entry))
    if whole is None:
        return record.labels()
    measure(whole)
    return whole.labels()


class _Collected:
    """Samples as they come: 16 bytes each."""

    __slots__ = ("times", "values")

    def __init__(self) -> None:
        self.times, self.values = array("q"), array("d")

    def sorted(self) -> Samples:
        t_ns, values = np.array(self.times, np.int64), np.array(self.values, np.float64)
        if np.all(t_ns[1:] >= t_ns[:-1]):
            return Samples(t_ns, values)
        order = np.argsort(t_ns, kind="stable")
        return Samples(t_ns[order], values[order])


def _without_idle_parsers(expr: ast.RangeAggregation, grouping: ast.Grouping | None) -> ast.LogQuery:
    """Without labels in the answer and none asked for on the way, Loki parses nothing, so no line can fail."""
    query = expr.log_range.query
    lone = grouping is not None and not grouping.labels and not grouping.without
    needed = any(isinstance(stage, ast.FilterStage | ast.LineFormat | ast.LabelFormats) for stage in query.stages)
    if not lone or needed or expr.log_range.unwrap:
        return query
    parsers = ast.Json | ast.Unpack | ast.Logfmt | ast.Regexp | ast.Pattern
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
        return _by(tuple(sorted(set(grouping.labels))))
    hidden = {*(grouping.labels if grouping else ()), *([unwrap.label] if unwrap else ())}
    return lambda record: _without(record, hidden)


def _by(names: tuple[str, ...]) -> Callable[[Record], LabelKey]:
    return lambda record: tuple([(name, value) for name in names if (value := record.get(name)) is not None])


def _without(record: Record, hidden: set[str]) -> LabelKey:
    return tuple(sorted(item for item in record.labels().items() if item[0] not in hidden))


def _pipeline_error(labels: dict[str, str]) -> PipelineError:
    series = ", ".join(f"{name}={quoted(value)}" for name, value in sorted(labels.items()))
    kind = labels[ERROR]
    return PipelineError(
        f"pipeline error: '{kind}' for series: '{{{series}}}'.\n"
        f'Use a label filter to intentionally skip this error. (e.g | __error__!="{kind}").\n'
        'To skip all potential errors you can match empty errors.(e.g __error__="")\n'
        'The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )\n'
    )
