"""Functions by name: of range vectors, and of instant vectors and scalars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pocket.query.promql import ast, label_functions, labels, over_time, rates, regression
from pocket.query.promql.context import Context, warn_of_quantiles
from pocket.query.promql.elementwise import DATES, MATH, go_maximum, go_minimum, round_to
from pocket.query.promql.selecting import Windows
from pocket.query.promql.table import Bools, Floats, Table, merge, single

Result = tuple[Floats, Bools]
# Windows per call: intermediate results then stay in the cache and small.
CHUNK = 100_000

PLAIN: dict[str, Callable[[Windows], Result]] = {
    "rate": rates.rate,
    "increase": rates.increase,
    "delta": rates.delta,
    "irate": rates.irate,
    "idelta": rates.idelta,
    "resets": rates.resets,
    "changes": rates.changes,
    "deriv": regression.derivative,
    "avg_over_time": over_time.average,
    "min_over_time": over_time.minimum,
    "max_over_time": over_time.maximum,
    "sum_over_time": over_time.sums,
    "count_over_time": over_time.count,
    "stddev_over_time": over_time.deviation,
    "stdvar_over_time": over_time.variance,
    "first_over_time": over_time.first,
    "last_over_time": over_time.last,
    "present_over_time": over_time.present,
    "absent_over_time": over_time.present,
}
KEEPS_NAME = frozenset({"first_over_time", "last_over_time"})
COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")


def of_range(context: Context, node: ast.Call, w: Windows, scalars: list[Floats], range_pos: int) -> Table:
    """A function of a range vector; `scalars` are its other arguments, one value a step."""
    values, present = np.zeros(len(w.first)), np.zeros(len(w.first), dtype=bool)
    filled = np.flatnonzero(w.last > w.first).astype(np.int64)
    for begin in range(0, len(filled), CHUNK):
        context.check()
        chosen = filled[begin : begin + CHUNK]
        values[chosen], present[chosen] = _evaluate(context, node.name, w.some(chosen), scalars)
    shape = (len(w.samples.labels), w.steps)
    table = Table(w.samples.labels, values.reshape(shape), present.reshape(shape)).compact()
    if node.name == "quantile_over_time" and len(filled):
        warn_of_quantiles(context, scalars[0], node.args[0].pos)
    if node.name in ("rate", "increase"):
        _check_counter(context, table, range_pos)
    if node.name == "absent_over_time":
        return absent(table, label_functions.absent_labels(node.args[0]))
    kept = node.name in KEEPS_NAME
    return merge(table if kept else table.relabelled(labels.drop_names(table.labels)), strict=True)


def _evaluate(context: Context, name: str, w: Windows, scalars: list[Floats]) -> Result:
    arguments = [scalar[w.step] for scalar in scalars]
    match name:
        case "quantile_over_time":
            return over_time.quantile(w, arguments[0])
        case "predict_linear":
            return regression.predict(w, arguments[0], context.times[w.step])
    return PLAIN[name](w)


def _check_counter(context: Context, table: Table, pos: int) -> None:
    for one in table.labels:
        name = one.get(labels.NAME, "")
        if name and not name.endswith(COUNTER_SUFFIXES):
            context.inform(
                f'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "{name}"', pos
            )


def absent(table: Table, metric: dict[str, str]) -> Table:
    """1 at the steps at which no series has a value."""
    return single(metric, np.ones(table.steps), ~table.anywhere())


def of_vector(context: Context, name: str, table: Table, scalars: list[Floats]) -> Table:
    """A function of an instant vector that gives each series new values and takes its name away."""
    if name in ("sort", "sort_desc"):
        return _sorted(context, table, descending=name == "sort_desc")
    values, present = table.values, table.present
    if name in MATH:
        values = MATH[name](values)
    elif name in DATES:
        values = DATES[name](values).astype(np.float64)
    elif name == "round":
        values = round_to(values, scalars[0] if scalars else np.ones(table.steps))
    elif name == "timestamp":
        values = np.broadcast_to(context.times / 1000, values.shape)
    else:
        values, present = _clamped(name, table, scalars)
    return merge(Table(labels.drop_names(table.labels), values, present))


def _clamped(name: str, table: Table, scalars: list[Floats]) -> Result:
    """Nothing where the upper limit is below the lower one."""
    infinite = np.full(table.steps, np.inf)
    low = -infinite if name == "clamp_max" else scalars[0]
    high = infinite if name == "clamp_min" else scalars[-1]
    return go_maximum(low, go_minimum(high, table.values)), table.present & ~(high < low)


def _sorted(context: Context, table: Table, *, descending: bool) -> Table:
    """By the value of the only step, NaN last; a range query's order is by labels anyway."""
    if context.is_range or not len(table.labels):
        return table
    keys = -table.values[:, 0] if descending else table.values[:, 0]
    return table.rows(np.argsort(keys, kind="stable"))


def scalar(table: Table) -> Floats:
    """The value of the only series at each step, NaN where there is none or several."""
    if not len(table.labels):
        return np.full(table.steps, np.nan)
    alone = table.present.sum(axis=0) == 1
    return np.where(alone, np.where(table.present, table.values, 0.0).sum(axis=0), np.nan)
