"""PromQL with Prometheus 3's answers, evaluated for all steps of a query at once.

Text → `lexer`, `grammar.lark`, `parse` → `ast` → `check` → `preprocess` → `evaluate` → tables of (series × steps),
for which `selecting` brings the samples; the rules are `rates`, `over_time`, `regression`, `elementwise`,
`label_functions`, `histogram`, `aggregation`, `operators` and `matching`, after prometheus/prometheus
promql/engine.go and functions.go (3.14).
"""

from __future__ import annotations

import numpy as np

from pocket.budget import current
from pocket.query.promql import ast, evaluate, labels
from pocket.query.promql.context import Context, Limits
from pocket.query.promql.parse import parse, parse_selector
from pocket.query.promql.preprocess import preprocess
from pocket.query.promql.prettify import prettified
from pocket.query.promql.result import (
    TOO_MANY_SAMPLES,
    Annotations,
    InstantResult,
    Matrix,
    MetricSource,
    QueryError,
    Scalar,
    String,
    Vector,
    VectorSample,
)
from pocket.query.promql.table import Table, single
from pocket.rows import Series

MAX_POINTS = 11_000  # per series, as Prometheus' API
NO_STEP = "zero or negative query resolution step widths are not accepted. Try a positive integer"
DEFAULT_LIMITS = Limits()

__all__ = [
    "NO_STEP", "TOO_MANY_SAMPLES", "Annotations", "InstantResult", "Limits", "Matrix", "MetricSource",
    "QueryError", "Scalar", "String", "Vector", "VectorSample", "check_points", "instant", "parse_selector",
    "prettify", "range", "range_matrix", "selectors",
]  # fmt: skip


def instant(source: MetricSource, text: str, t_ms: int, limits: Limits = DEFAULT_LIMITS) -> InstantResult:
    """The query's value at one time. Raises QueryError."""
    tree = preprocess(parse(text), text, 0, 0)
    context = _context(source, text, t_ms, t_ms, 1, limits)
    with np.errstate(all="ignore"):
        match ast.value_type(tree):
            case "scalar":
                return Scalar(t_ms, float(evaluate.scalar(context, tree)[0]), context.annotations)
            case "string":
                return String(t_ms, evaluate.text(tree), context.annotations)
            case "matrix":
                return Matrix(_window_series(context, tree), context.annotations)
        table = evaluate.vector(context, tree)
    values = table.values[:, 0].tolist()
    samples = [VectorSample(one, value) for one, value in zip(table.labels, values, strict=True)]
    return Vector(t_ms, samples, context.annotations)


def range(
    source: MetricSource, text: str, start_ms: int, end_ms: int, step_ms: int, limits: Limits = DEFAULT_LIMITS
) -> list[Series]:
    """The query's series from start to end (inclusive), ordered by labels. Raises QueryError."""
    return range_matrix(source, text, start_ms, end_ms, step_ms, limits).series


def range_matrix(
    source: MetricSource, text: str, start_ms: int, end_ms: int, step_ms: int, limits: Limits = DEFAULT_LIMITS
) -> Matrix:
    """As `range`, with the annotations."""
    if step_ms <= 0:
        raise QueryError("bad_data", NO_STEP)
    check_points(start_ms, end_ms, step_ms)
    tree = preprocess(_of_steps(parse(text)), text, step_ms, end_ms - start_ms)
    context = _context(source, text, start_ms, end_ms, step_ms, limits)
    with np.errstate(all="ignore"):
        table = _range_table(context, tree)
    return Matrix(_series(table, context), context.annotations)


def check_points(start_ms: int, end_ms: int, step_ms: int) -> None:
    """Raises QueryError if a series would have more than 11 000 points."""
    if (end_ms - start_ms) // step_ms > MAX_POINTS:
        reason = f"exceeded maximum resolution of {MAX_POINTS:,} points per timeseries"
        raise QueryError("bad_data", f"{reason}. Try decreasing the query resolution (?step=XX)")


def prettify(text: str) -> str:
    """The query in Prometheus' canonical layout. Raises QueryError."""
    return prettified(parse(text))


def selectors(text: str) -> list[ast.Selector]:
    """The series selectors in a query. Raises QueryError."""
    return ast.selectors(parse(text))


def _context(source: MetricSource, text: str, start_ms: int, end_ms: int, step_ms: int, limits: Limits) -> Context:
    times = np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)
    budget = current()
    budget.limit_seconds(limits.timeout_seconds)
    return Context(source, text, times, start_ms, end_ms, limits, budget)


def _of_steps(tree: ast.Node) -> ast.Node:
    """Raises QueryError for what has no value at a step."""
    kind = ast.value_type(tree)
    if kind in ("matrix", "string"):
        name = "range vector" if kind == "matrix" else "string"
        reason = f'invalid expression type "{name}" for range query, must be Scalar or instant Vector'
        raise QueryError("bad_data", reason)
    return tree


def _range_table(context: Context, tree: ast.Node) -> Table:
    if ast.value_type(tree) == "scalar":
        return single({}, evaluate.scalar(context, tree))
    return evaluate.vector(context, tree)


def _series(table: Table, context: Context) -> list[Series]:
    rows = sorted(zip(table.labels, table.values, table.present, strict=True), key=lambda row: labels.key(row[0]))
    return [Series(one, context.times[present], values[present]) for one, values, present in rows]


def _window_series(context: Context, tree: ast.Node) -> list[Series]:
    """A range vector as it is, which only an instant query can give."""
    w = evaluate.range_vector(context, tree)
    spans = zip(w.samples.labels, w.first.tolist(), w.last.tolist(), strict=True)
    return [Series(one, w.samples.t_ms[a:b], w.samples.values[a:b]) for one, a, b in spans if b > a]
