"""TraceQL metrics: spans of a query → time series (Tempo's engine_metrics.go).

Steps are aligned to multiples of the step; a sample at t covers the spans that start in (t − step, t].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pocket.budget import current, size_of
from pocket.query.errors import ParseError
from pocket.query.traceql import ast, compare, histogram, values
from pocket.query.traceql.check import implied_type
from pocket.query.traceql.evaluate import matches
from pocket.query.traceql.fields import Evaluate, compile_field
from pocket.query.traceql.series import (
    BYTES_A_SERIES,
    BYTES_A_STEP,
    Labels,
    Series,
    Window,
    limit_series,
    timed,
    window,
)  # fmt: skip
from pocket.query.traceql.source import TraceSource

SECOND = 10**9
_BYTES_A_VALUE = 40  # of what is collected


def query_range(source: TraceSource, query: ast.Query, start_ns: int, end_ns: int, step_ns: int) -> list[Series]:
    """The series over aligned steps from start to end."""
    return _evaluate(source, query, window(start_ns, end_ns, step_ns))


def instant(source: TraceSource, query: ast.Query, start_ns: int, end_ns: int) -> list[Series]:
    """One sample a series, over the whole range."""
    if end_ns <= start_ns:
        raise ParseError("end must be after start")
    return _evaluate(source, query, Window(start_ns - 1, end_ns - start_ns + 1, 1), end_ns - start_ns)


def _evaluate(source: TraceSource, query: ast.Query, steps: Window, per_ns: int | None = None) -> list[Series]:
    metrics = query.metrics
    if metrics is None:
        raise ParseError("not a metrics query")
    if isinstance(metrics, ast.Compare):
        found = compare.series(source, query, metrics, steps)
        limit_series(len(found))
        return found
    collected = _collect(source, query, metrics, steps)
    series = _FINISH[metrics.op](metrics, steps, collected, (per_ns or steps.step_ns) / SECOND)
    for stage in query.second_stages:
        current().check()
        series = _second_stage(stage, series)
    limit_series(len(series))
    return [item for item in series if item.samples]


# ---- observing
class Counts:
    """How many spans a step had."""

    def __init__(self, steps: Window) -> None:
        self.steps = np.zeros(steps.count, np.int64)

    def add(self, index: int, _: float) -> None:
        self.steps[index] += 1


class Values:
    """The values that were seen, by step."""

    def __init__(self, _: Window) -> None:
        self.steps: dict[int, list[float]] = {}

    def add(self, index: int, value: float) -> None:
        current().hold(_BYTES_A_VALUE)
        self.steps.setdefault(index, []).append(value)

    def all(self, steps: Window) -> list[list[float]]:
        return [self.steps.get(index, []) for index in range(steps.count)]


Collected = dict[Labels, Any]  # by series: Counts or Values, as the function needs


def _collect(source: TraceSource, query: ast.Query, metrics: ast.Metrics, steps: Window) -> Collected:
    by = [(_label(node), compile_field(node)) for node in metrics.by]
    measure, kind = _measure(metrics.attribute), Counts if metrics.op in _COUNTING else Values
    collected: Collected = {}
    if kind is Counts and not by:
        collected[()] = Counts(steps)  # nothing found is a series of zeros
    end = steps.start_ns + steps.count * steps.step_ns + 1
    for trace, spansets in matches(source, query, steps.start_ns + 1, end):
        for spanset in spansets:
            for span in spanset.spans:
                value = measure(span, trace)
                if value is None:
                    continue
                labels: Labels = tuple(
                    [(name, found) for name, run in by if (found := run(span, trace)) is not None]
                )
                if by and not labels:  # one is forced, as Tempo has it
                    labels = ((by[0][0], None),)
                if labels not in collected:
                    _admit(labels, collected, steps, whole=not query.second_stages)
                    collected[labels] = kind(steps)
                collected[labels].add(steps.index(span.start_ns), value)
    return collected


def _admit(labels: Labels, collected: Collected, steps: Window, *, whole: bool) -> None:
    """Each series is one of the answer, at least, unless a second stage chooses among them."""
    if whole:
        limit_series(len(collected) + 1)
    texts = [value for _, value in labels if isinstance(value, str)]
    current().hold(BYTES_A_SERIES + size_of(*texts) + 2 * steps.count * BYTES_A_STEP)


def _label(node: ast.Named) -> str:
    return str(node)


def _measure(attribute: ast.Named | None) -> Callable[..., float | None]:
    if attribute is None:
        return lambda _span, _trace: 1.0
    evaluate = compile_field(attribute)
    return lambda span, trace: _number(evaluate, span, trace)


def _number(evaluate: Evaluate, *where: object) -> float | None:
    value = evaluate(*where)  # type: ignore[arg-type]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _in_seconds(metrics: ast.Metrics) -> bool:
    return metrics.attribute is not None and implied_type(metrics.attribute) == "duration"


# ---- finishing
def _counts(_: ast.Metrics, steps: Window, collected: Collected, __: float) -> list[Series]:
    return [timed(labels, steps, found.steps.astype(float).tolist()) for labels, found in collected.items()]


def _rate(_: ast.Metrics, steps: Window, collected: Collected, seconds: float) -> list[Series]:
    per_second = 1.0 / seconds  # Tempo multiplies by it; dividing differs in the last digit
    return [timed(labels, steps, (found.steps * per_second).tolist()) for labels, found in collected.items()]


def _over_time(reduce: Callable[[Sequence[float]], float]) -> Callable[..., list[Series]]:
    def run(metrics: ast.Metrics, steps: Window, collected: Collected, _: float) -> list[Series]:
        scale = 1e9 if _in_seconds(metrics) else 1.0
        return [
            timed(labels, steps, [reduce(values) / scale if values else math.nan for values in found.all(steps)])
            for labels, found in collected.items()
        ]

    return run


def _histogram(metrics: ast.Metrics, steps: Window, collected: Collected, _: float) -> list[Series]:
    series: list[Series] = []
    for labels, found in collected.items():
        counted = [histogram.count(values, seconds=_in_seconds(metrics)) for values in found.all(steps)]
        for bound in sorted({bound for counts in counted for bound in counts}):
            counts = [float(step.get(bound, 0)) for step in counted]
            series.append(timed((("__bucket", bound), *labels), steps, counts))
    return series


def _quantiles(metrics: ast.Metrics, steps: Window, collected: Collected, _: float) -> list[Series]:
    series: list[Series] = []
    for labels, found in collected.items():
        counted = [histogram.count(values, seconds=_in_seconds(metrics)) for values in found.all(steps)]
        for q in metrics.quantiles:
            series.append(timed((("p", q), *labels), steps, [histogram.quantile(q, step) for step in counted]))
    return series


_COUNTING = ("rate", "count_over_time")
_FINISH: dict[str, Callable[[ast.Metrics, Window, Collected, float], list[Series]]] = {
    "rate": _rate,
    "count_over_time": _counts,
    "min_over_time": _over_time(min),
    "max_over_time": _over_time(max),
    "sum_over_time": _over_time(math.fsum),
    "avg_over_time": _over_time(lambda values: math.fsum(values) / len(values)),
    "histogram_over_time": _histogram,
    "quantile_over_time": _quantiles,
}


# ---- second stages
def _second_stage(stage: ast.Best | ast.SeriesFilter, series: list[Series]) -> list[Series]:
    if isinstance(stage, ast.Best):
        return _best(stage, series)
    compare, threshold = values.COMPARE[stage.op], _threshold(stage.value)
    return [
        Series(item.labels, [(t, value) for t, value in item.samples if compare(value, threshold)])
        for item in series
    ]


def _threshold(static: ast.Static) -> float:
    value = float(static.value)  # type: ignore[arg-type]
    return value / 1e9 if static.type == "duration" else value


def _best(stage: ast.Best, series: list[Series]) -> list[Series]:
    """At each time the `count` largest (smallest) values stay; ties by label."""
    sign = -1 if stage.op == "topk" else 1
    at: dict[int, list[tuple[float, str, int]]] = {}
    for index, item in enumerate(series):
        for t, value in item.samples:
            at.setdefault(t, []).append((sign * value, str(item.labels), index))
    kept = {t: {index for _, _, index in sorted(found)[: stage.count]} for t, found in at.items()}
    return [
        Series(item.labels, [(t, value) for t, value in item.samples if index in kept[t]])
        for index, item in enumerate(series)
    ]
