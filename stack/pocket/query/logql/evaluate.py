"""Metric queries: an expression evaluated at each of a list of times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pocket.budget import current
from pocket.query.errors import ParseError
from pocket.query.logql import ast, literals, ranges, samples, vectors
from pocket.query.logql.samples import MAX_SERIES, LabelKey, limit_series
from pocket.query.logql.source import LogSource
from pocket.query.logql.vectors import Vector

# Where a `sum by (…)` around a range function can group the lines themselves (ast.go canInjectVectorGrouping).
_INJECTED = {"bytes_rate", "bytes_over_time", "sum_over_time", "rate", "count_over_time"}


_BYTES_A_VALUE = 120  # of a series at a time: a float, and its place in the vector's dict


def instant(source: LogSource, expr: ast.MetricExpr, t_ns: int) -> Vector | float:
    """The vector (or scalar) at one time."""
    if isinstance(expr, ast.Literal):
        return expr.value
    vector = _outermost(source, expr, [t_ns])[0]
    limit_series(len(vector))
    if _sorted(expr):
        return vector
    return dict(sorted(vector.items()))


def query_range(
    source: LogSource, expr: ast.MetricExpr, start_ns: int, end_ns: int, step_ns: int
) -> dict[LabelKey, list[tuple[int, float]]]:
    """Each series' (t_ns, value), steps from start to end inclusive."""
    times = list(range(start_ns, end_ns + 1, step_ns))
    if isinstance(expr, ast.Literal):
        return {(): [(t, expr.value) for t in times]}
    series: dict[LabelKey, list[tuple[int, float]]] = {}
    for t, vector in zip(times, _outermost(source, expr, times), strict=True):
        for labels, value in vector.items():
            series.setdefault(labels, []).append((t, value))
        limit_series(len(series))
    return dict(sorted(series.items()))


def _outermost(source: LogSource, expr: ast.MetricExpr, times: Sequence[int]) -> list[Vector]:
    """`evaluate`, but where each series of a range is one of the answer, too many are told before all are read."""
    grouping, inner = None, expr
    if _is_injected(expr):
        grouping, inner = expr.grouping, expr.expr  # type: ignore[union-attr]
    if not isinstance(inner, ast.RangeAggregation) or not _covered(times, inner.log_range.range_ns):
        return evaluate(source, expr, times)
    found = _range(source, inner, grouping, times, MAX_SERIES)
    return [vectors.aggregate(expr, v) for v in found] if isinstance(expr, ast.VectorAggregation) else found


def _covered(times: Sequence[int], window: int) -> bool:
    """Whether every sample that is read is in some window."""
    return len(times) < 2 or times[1] - times[0] <= window


def _is_injected(expr: ast.MetricExpr) -> bool:
    match expr:
        case ast.VectorAggregation("sum", ast.RangeAggregation(op)):
            return op in _INJECTED
    return False


def _sorted(expr: ast.MetricExpr) -> bool:
    """Whether the order of the answer is the query's own (sort, topk)."""
    match expr:
        case ast.VectorAggregation(op="sort" | "sort_desc"):
            return True
        case ast.Binary():
            return _sorted(expr.left) or _sorted(expr.right)
        case ast.VectorAggregation() | ast.LabelReplace():
            return _sorted(expr.expr)
    return False


def evaluate(source: LogSource, expr: ast.MetricExpr, times: Sequence[int]) -> list[Vector]:
    """One vector a time, `times` ascending."""
    match expr:
        case ast.RangeAggregation():
            return _range(source, expr, None, times)
        case ast.VectorAggregation(_, ast.RangeAggregation() as inner, grouping) if _is_injected(expr):
            return [vectors.aggregate(expr, vector) for vector in _range(source, inner, grouping, times)]
        case ast.VectorAggregation():
            return [vectors.aggregate(expr, vector) for vector in evaluate(source, expr.expr, times)]
        case ast.Binary():
            return _binary(source, expr, times)
        case ast.LabelReplace():
            pattern = literals.go_regex(expr.pattern)
            return [vectors.replace_label(expr, pattern, vector) for vector in evaluate(source, expr.expr, times)]
        case ast.VectorLiteral(value):
            return [{(): value} for _ in times]
        case ast.Literal():
            raise ParseError("parse error : a literal where a vector is expected")


def _binary(source: LogSource, expr: ast.Binary, times: Sequence[int]) -> list[Vector]:
    for scalar, other, scalar_left in ((expr.left, expr.right, True), (expr.right, expr.left, False)):
        if isinstance(scalar, ast.Literal):
            return [
                vectors.with_scalar(
                    expr.op, vector, scalar.value, scalar_left=scalar_left, return_bool=expr.matching.return_bool
                )
                for vector in evaluate(source, other, times)
            ]
    left, right = evaluate(source, expr.left, times), evaluate(source, expr.right, times)
    return [vectors.combine(expr, a, b) for a, b in zip(left, right, strict=True)]


def _range(
    source: LogSource, expr: ast.RangeAggregation, outer: ast.Grouping | None, times: Sequence[int],
    most: int | None = None,
) -> list[Vector]:  # fmt: skip
    window, offset = expr.log_range.range_ns, expr.log_range.offset_ns
    ends = np.array(times, np.int64) - offset

    def seen(t_ns: int) -> bool:
        end = int(np.searchsorted(ends, t_ns))
        return end < len(ends) and t_ns > ends[end] - window

    found = samples.select(source, expr, outer, int(ends[0]) - window, int(ends[-1]), most, seen)
    answer: list[Vector] = [{} for _ in times]
    for labels, series in found.items():
        current().check()
        _slide(expr, series, ends, labels, answer)
    return _absent(expr, answer) if expr.op == "absent_over_time" else answer


def _slide(
    expr: ast.RangeAggregation, series: samples.Samples, ends: ranges.Times, labels: LabelKey, answer: list[Vector]
) -> None:
    window = expr.log_range.range_ns
    apply = ranges.quantile(expr.parameter or 0.0) if expr.parameter is not None else ranges.FUNCTIONS[expr.op]
    first = np.searchsorted(series.t_ns, ends - window, side="right")
    last = np.searchsorted(series.t_ns, ends, side="right")
    filled = np.flatnonzero(last > first)
    current().hold(len(filled) * _BYTES_A_VALUE)
    for step in filled:
        chosen = slice(first[step], last[step])
        answer[step][labels] = apply(series.values[chosen], series.t_ns[chosen], int(ends[step]), window)


def _absent(expr: ast.RangeAggregation, present: list[Vector]) -> list[Vector]:
    """1 with the labels the selector fixes, where there was no line."""
    matchers = expr.log_range.query.matchers
    fixed = {matcher.name: matcher.value for matcher in reversed(matchers) if matcher.op == "="}
    loose = {matcher.name for matcher in matchers if matcher.op != "="}
    labels = tuple(sorted((name, value) for name, value in fixed.items() if name not in loose))
    return [{} if vector else {labels: 1.0} for vector in present]
