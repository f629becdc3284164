"""TraceQL metrics: spans of a query → time series (Tempo's engine_metrics.go).

Steps are aligned to multiples of the step; a sample at t covers the spans that start in (t − step, t].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pocket.query.errors import ParseError
from pocket.query.logql.arithmetic import COMPARISON
from pocket.query.traceql import ast, histogram
from pocket.query.traceql.ast import Value
from pocket.query.traceql.check import implied_type
from pocket.query.traceql.fields import Evaluate, compile_field
from pocket.query.traceql.search import matches
from pocket.query.traceql.source import TraceSource

SECOND = 10**9
MAX_STEPS = 11_000

Labels = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Bucket i is (start + i·step, start + (i + 1)·step], shown at its end."""

    start_ns: int
    step_ns: int
    count: int

    def index(self, t_ns: int) -> int:
        return (t_ns - self.start_ns - 1) // self.step_ns

    def time_ms(self, index: int) -> int:
        return (self.start_ns + (index + 1) * self.step_ns) // 10**6


@dataclass(slots=True)
class Series:
    labels: Labels
    samples: list[tuple[int, float]]  # t_ms, value


@dataclass(slots=True)
class Observation:
    labels: Labels
    index: int
    value: float | None  # None: the span counts, it has no value


def window(start_ns: int, end_ns: int, step_ns: int) -> Window:
    """The aligned steps of a range query: one more before its start, as Tempo's AlignRequest has it."""
    if step_ns <= 0:
        raise ParseError("step must be greater than 0")
    first = start_ns - start_ns % step_ns - step_ns
    last = end_ns + -end_ns % step_ns
    if (last - first) // step_ns > MAX_STEPS:
        raise ParseError("exceeded maximum resolution of 11,000 points per time series")
    return Window(first, step_ns, (last - first) // step_ns)


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
    collected = _collect(source, query, metrics, steps)
    series = _FINISH[metrics.op](metrics, steps, collected, (per_ns or steps.step_ns) / SECOND)
    for stage in query.second_stages:
        series = _second_stage(stage, series)
    return [item for item in series if item.samples]


# ---- observing
Buckets = dict[Labels, list[list[float]]]  # by series, by step, the values seen


def _collect(source: TraceSource, query: ast.Query, metrics: ast.Metrics, steps: Window) -> Buckets:
    by = [(_label(node), compile_field(node)) for node in metrics.by]
    measure = _measure(metrics.attribute)
    collected: Buckets = {}
    if metrics.op in ("rate", "count_over_time") and not by:
        collected[()] = [[] for _ in range(steps.count)]  # nothing found is a series of zeros
    end = steps.start_ns + steps.count * steps.step_ns + 1
    for trace, spansets in matches(source, query, steps.start_ns + 1, end):
        for spanset in spansets:
            for span in spanset.spans:
                value = measure(span, trace)
                labels = tuple((name, evaluate(span, trace)) for name, evaluate in by)
                if value is not None:
                    empty: list[list[float]] = [[] for _ in range(steps.count)]
                    collected.setdefault(labels, empty)[steps.index(span.start_ns)].append(value)
    return collected


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
def _counts(_: ast.Metrics, steps: Window, collected: Buckets, __: float) -> list[Series]:
    return [
        _series(labels, steps, [float(len(values)) for values in found]) for labels, found in collected.items()
    ]


def _rate(_: ast.Metrics, steps: Window, collected: Buckets, seconds: float) -> list[Series]:
    per_second = 1.0 / seconds  # Tempo multiplies by it; dividing differs in the last digit
    return [
        _series(labels, steps, [len(values) * per_second for values in found])
        for labels, found in collected.items()
    ]


def _over_time(reduce: Callable[[Sequence[float]], float]) -> Callable[..., list[Series]]:
    def run(metrics: ast.Metrics, steps: Window, collected: Buckets, _: float) -> list[Series]:
        scale = 1e9 if _in_seconds(metrics) else 1.0
        return [
            _series(labels, steps, [reduce(values) / scale if values else math.nan for values in found])
            for labels, found in collected.items()
        ]

    return run


def _histogram(metrics: ast.Metrics, steps: Window, collected: Buckets, _: float) -> list[Series]:
    series: list[Series] = []
    for labels, found in collected.items():
        counted = [histogram.count(values, seconds=_in_seconds(metrics)) for values in found]
        for bound in sorted({bound for counts in counted for bound in counts}):
            counts = [float(step.get(bound, 0)) for step in counted]
            series.append(_series((("__bucket", bound), *labels), steps, counts))
    return series


def _quantiles(metrics: ast.Metrics, steps: Window, collected: Buckets, _: float) -> list[Series]:
    series: list[Series] = []
    for labels, found in collected.items():
        counted = [histogram.count(values, seconds=_in_seconds(metrics)) for values in found]
        for q in metrics.quantiles:
            series.append(_series((("p", q), *labels), steps, [histogram.quantile(q, step) for step in counted]))
    return series


def _series(labels: Labels, steps: Window, values: Iterable[float]) -> Series:
    samples = [(steps.time_ms(i), value) for i, value in enumerate(values) if not math.isnan(value)]
    return Series(labels, samples)


_FINISH: dict[str, Callable[[ast.Metrics, Window, Buckets, float], list[Series]]] = {
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
    compare, threshold = COMPARISON["==" if stage.op == "=" else stage.op], _threshold(stage.value)
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
