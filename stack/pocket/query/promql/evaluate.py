"""Walks the syntax tree: each node gives a table (vector), one number a step (scalar) or a text."""

from __future__ import annotations

import numpy as np

from pocket.query.promql import ast, functions, histogram, label_functions, labels, matching, operators
from pocket.query.promql.aggregation import aggregate
from pocket.query.promql.context import Context
from pocket.query.promql.result import QueryError
from pocket.query.promql.selecting import Windows, as_samples, instant, reference_times, slide, windows
from pocket.query.promql.table import Floats, Ints, Table, empty, merge, single


def vector(context: Context, node: ast.Node) -> Table:
    """The node's instant vector at every step."""
    context.check()
    match node:
        case ast.Selector():
            return instant(context, node)
        case ast.Unary(op=op, expr=inner):
            table = vector(context, inner)
            if op == "+":
                return table
            return merge(Table(labels.drop_names(table.labels), -table.values, table.present))
        case ast.Binary():
            return _binary(context, node)
        case ast.Call():
            return _call(context, node)
        case ast.Aggregate():
            return aggregate(context, node, vector(context, node.expr), _parameter(context, node.param))
    raise QueryError("bad_data", "1:1: parse error: expected an instant vector")


def scalar(context: Context, node: ast.Node) -> Floats:
    """The node's number at every step."""
    context.check()
    steps = len(context.times)
    match node:
        case ast.Number(value=value):
            return np.full(steps, value)
        case ast.Unary(op=op, expr=inner):
            return -scalar(context, inner) if op == "-" else scalar(context, inner)
        case ast.Binary(op=op, lhs=lhs, rhs=rhs):
            return operators.scalars(op, scalar(context, lhs), scalar(context, rhs))
        case ast.Call(name="time"):
            return context.times / 1000
        case ast.Call(name="pi"):
            return np.full(steps, np.pi)
        case ast.Call(name="scalar", args=(inner,)):
            return functions.scalar(vector(context, inner))
    raise QueryError("bad_data", "1:1: parse error: expected a scalar")


def text(node: ast.Node) -> str:
    if not isinstance(node, ast.String):
        raise QueryError("bad_data", "1:1: parse error: expected a string")
    return node.value


def range_vector(context: Context, node: ast.Node) -> Windows:
    """The node's range vector at every step."""
    if isinstance(node, ast.Range):
        return windows(context, node)
    if isinstance(node, ast.Subquery):
        return _subquery(context, node)
    raise QueryError("bad_data", "1:1: parse error: expected a range vector")


def _subquery(context: Context, node: ast.Subquery) -> Windows:
    """Evaluated once over all windows, at the multiples of its step."""
    times = reference_times(context, node.offset_ms, node.at)
    inner = context.at(_subquery_times(context, node, times))
    if not len(inner.times):
        return slide(as_samples(empty(0), inner.times), times, node.range_ms)
    kind = ast.value_type(node.expr)
    table = single({}, scalar(inner, node.expr)) if kind == "scalar" else vector(inner, node.expr)
    context.check(len(table.labels) * len(times))
    return slide(as_samples(table, inner.times), times, node.range_ms)


def _subquery_times(context: Context, node: ast.Subquery, times: Ints) -> Ints:
    step = node.step_ms or context.limits.subquery_step_ms
    first = ((int(times.min()) - node.range_ms) // step + 1) * step
    context.check(max(0, (int(times.max()) - first) // step))
    return np.arange(first, int(times.max()) + 1, step, dtype=np.int64)


def _parameter(context: Context, node: ast.Node | None) -> Floats | str | None:
    if node is None:
        return None
    return node.value if isinstance(node, ast.String) else scalar(context, node)


def _binary(context: Context, node: ast.Binary) -> Table:
    left, right = ast.value_type(node.lhs), ast.value_type(node.rhs)
    if left == right == "vector":
        lhs, rhs = vector(context, node.lhs), vector(context, node.rhs)
        context.check(len(lhs.labels) * lhs.steps)
        return matching.set_operation(node, lhs, rhs) if node.op in ast.SETS else matching.vectors(node, lhs, rhs)
    if left == "vector":
        table, number = vector(context, node.lhs), scalar(context, node.rhs)
        return operators.with_scalar(node, table, number, scalar_first=False)
    number, table = scalar(context, node.lhs), vector(context, node.rhs)
    return operators.with_scalar(node, table, number, scalar_first=True)


def _call(context: Context, node: ast.Call) -> Table:
    for i, arg in enumerate(node.args):
        if ast.value_type(arg) == "matrix":
            others = [scalar(context, other) for j, other in enumerate(node.args) if j != i]
            return functions.of_range(context, node, range_vector(context, arg), others, _told_position(arg))
    match node.name:
        case "vector":
            return single({}, scalar(context, node.args[0]))
        case "absent":
            return functions.absent(vector(context, node.args[0]), label_functions.absent_labels(node.args[0]))
        case "timestamp" if isinstance(node.args[0], ast.Selector):
            table = instant(context, node.args[0], timestamps=True)
            return merge(table.relabelled(labels.drop_names(table.labels)))
        case "histogram_quantile":
            q, table = scalar(context, node.args[0]), vector(context, node.args[1])
            return histogram.quantile(context, q, table, node.args[0].pos, node.args[1].pos)
        case "histogram_fraction":
            lower, upper = scalar(context, node.args[0]), scalar(context, node.args[1])
            return histogram.fraction(context, lower, upper, vector(context, node.args[2]), node.args[2].pos)
    return _vector_call(context, node)


def _told_position(arg: ast.Node) -> int:
    """Prometheus has lost a subquery's position when it comes to annotations."""
    return 0 if isinstance(arg, ast.Subquery) else arg.pos


def _vector_call(context: Context, node: ast.Call) -> Table:
    """Functions whose first argument is a vector, followed by scalars or texts; dates may do without any."""
    if node.name.startswith("sort") and context.is_range:
        context.warn("sort is ineffective for range queries since results are always ordered by labels", node.pos)
    table = vector(context, node.args[0]) if node.args else single({}, scalar(context, ast.Call(0, "time", ())))
    if node.name in ("label_replace", "label_join"):
        return _label_call(node.name, table, [text(arg) for arg in node.args[1:]])
    return functions.of_vector(context, node.name, table, [scalar(context, arg) for arg in node.args[1:]])


def _label_call(name: str, table: Table, texts: list[str]) -> Table:
    if name == "label_replace":
        return label_functions.label_replace(table, *texts)
    return label_functions.label_join(table, texts[0], texts[1], texts[2:])
