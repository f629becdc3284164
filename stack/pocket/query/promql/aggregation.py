"""Aggregation operators: groups of series into one, or into their most extreme members (promql/engine.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pocket.query.numbers import general, plain
from pocket.query.promql import ast, labels
from pocket.query.promql.context import Context, warn_of_quantiles
from pocket.query.promql.quantiles import quantile_of_sorted
from pocket.query.promql.result import QueryError
from pocket.query.promql.summing import add, mean
from pocket.query.promql.table import Bools, Floats, Ints, Table, concatenate, empty, single
from pocket.query.quoting import quoted
from pocket.rows import Labels

CHOOSING = frozenset({"topk", "bottomk"})


def aggregate(context: Context, node: ast.Aggregate, table: Table, param: Floats | str | None) -> Table:
    """`param` is k or φ, one a step, or the label of count_values."""
    if isinstance(param, str):
        return _count_values(context, node, table, param)
    groups = _groups(node, table)
    if node.op in CHOOSING:
        return _choose(node.op, table, groups, _whole(param), instant=not context.is_range)
    if node.op == "quantile" and param is not None:
        _check_quantile(context, param, node)
    if not groups:
        return empty(table.steps)
    values = np.stack([_one(context, node.op, table, rows, param) for rows in groups])
    present = np.stack([table.present[rows].any(axis=0) for rows in groups])
    return Table([_group_labels(node, table.labels[rows[0]]) for rows in groups], values, present).compact()


def _group_labels(node: ast.Aggregate, one: Labels) -> Labels:
    return labels.without(one, {*node.grouping, labels.NAME}) if node.without else labels.keep(one, node.grouping)


def _groups(node: ast.Aggregate, table: Table) -> list[list[int]]:
    """The rows of each group, in the order in which the groups first appear.

    In `without` the name counts for the grouping as little as for the output.
    """
    groups: dict[labels.Key, list[int]] = {}
    for i, one in enumerate(table.labels):
        groups.setdefault(labels.key(_group_labels(node, one)), []).append(i)
    return list(groups.values())


def _one(context: Context, op: str, table: Table, rows: list[int], param: Floats | None) -> Floats:
    context.check()
    result = _reduced(op, table.values[rows], table.present[rows], param)
    return np.broadcast_to(np.asarray(result, dtype=np.float64), (table.steps,))


def _reduced(op: str, values: Floats, present: Bools, param: Floats | None) -> Any:
    match op:
        case "count":
            return present.sum(axis=0)
        case "group":
            return 1.0
        case "min":
            return np.fmin.reduce(np.where(present, values, np.nan), axis=0)
        case "max":
            return np.fmax.reduce(np.where(present, values, np.nan), axis=0)
        case "sum":
            return np.add(*_kahan(values, present))
        case "avg":
            return _average(values, present)
        case "stdvar":
            return _variance(values, present)
        case "stddev":
            return np.sqrt(_variance(values, present))
        case "quantile" if param is not None:
            return _quantile(param, values, present)
    raise QueryError("bad_data", f"1:1: parse error: aggregation {op!r} is not supported")


def _kahan(values: Floats, present: Bools) -> tuple[Floats, Floats]:
    """Starts from a group's first value: ∞ then stays ∞ with nothing carried."""
    total, carry = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for row, there in zip(values, present, strict=True):
        add(total, carry, np.where(there, row, 0.0))
    return total, carry


def _average(values: Floats, present: Bools) -> Floats:
    total, carry = _kahan(values, present)
    count = np.maximum(present.sum(axis=0), 1)
    result: Floats = total / count + carry / count
    for step in np.flatnonzero(~np.isfinite(result) & present.any(axis=0)).tolist():
        result[step] = mean(values[present[:, step], step].tolist())
    return result


def _variance(values: Floats, present: Bools) -> Floats:
    """Welford's method, without correction; a first value that is not finite makes it NaN."""
    count, middle, spread = (np.zeros(values.shape[1]) for _ in range(3))
    for row, there in zip(values, present, strict=True):
        first = there & (count == 0)
        count += there
        difference = np.where(there, row - middle, 0.0)
        middle += difference / np.maximum(count, 1)
        spread += np.where(there, difference * (row - middle), 0.0)
        spread = np.where(first, np.where(np.isfinite(row), 0.0, np.nan), spread)
        middle = np.where(first, row, middle)
    return np.asarray(spread / np.maximum(count, 1), dtype=np.float64)


def _quantile(q: Floats, values: Floats, present: Bools) -> Floats:
    ordered = np.sort(np.where(present, values, np.nan), axis=0).T
    nans = (np.isnan(values) & present).sum(axis=0)
    return quantile_of_sorted(q, ordered, present.sum(axis=0), nans)


def _check_quantile(context: Context, q: Floats, node: ast.Aggregate) -> None:
    """At most two warnings: for the largest above 1 and the smallest below 0, or one for NaN."""
    outside = [np.nan] if np.isnan(q).any() else [max(1.0, q.max()), min(0.0, q.min())]
    warn_of_quantiles(context, np.array(outside), node.param.pos if node.param is not None else node.pos)


def _whole(param: Floats | None) -> Ints:
    """k of topk and its like as integers, one a step; 0 where nothing is asked for."""
    k = np.zeros(1) if param is None else param
    if k.max() < 1:
        return np.zeros(len(k), dtype=np.int64)
    if np.isnan(k).any():
        raise QueryError("execution", "Parameter value is NaN")
    for value, word in ((k.min(), "underflows"), (k.max(), "overflows")):
        if (value <= -(2.0**63)) if word == "underflows" else (value >= 2.0**63):
            raise QueryError("execution", f"Scalar value {general(float(value))} {word} int64")
    return k.astype(np.int64)


def _choose(op: str, table: Table, groups: list[list[int]], k: Ints, *, instant: bool) -> Table:
    """The k largest or smallest of each group at each step, NaN last; instant queries keep that order."""
    chosen = np.zeros_like(table.present)
    order: list[int] = []
    for rows in groups:
        ranks = _ranks(op, table.values[rows], table.present[rows])
        chosen[rows] = table.present[rows] & (ranks < k)
        order += [rows[i] for i in np.argsort(ranks[:, 0], kind="stable").tolist()]
    result = Table(table.labels, table.values, chosen)
    return (result.rows(order) if instant else result).compact()


def _ranks(op: str, values: Floats, present: Bools) -> Ints:
    """Each series' place within its group at each step; equals keep the order of the series."""
    keys = -values if op == "topk" else values
    by_value = np.argsort(np.where(present, keys, np.nan), axis=0, kind="stable")  # NaN goes last
    absent_last = np.argsort(~np.take_along_axis(present, by_value, axis=0), axis=0, kind="stable")
    return np.argsort(np.take_along_axis(by_value, absent_last, axis=0), axis=0, kind="stable")


def _count_values(context: Context, node: ast.Aggregate, table: Table, label: str) -> Table:
    """One series per group and distinct value, which becomes a label."""
    if not labels.is_name(label):
        raise QueryError("execution", f"invalid label name {quoted(label)}")
    by = node.grouping if node.without else (*node.grouping, label)
    grouping = ast.Aggregate(node.pos, node.op, node.expr, None, node.without, by)
    counts: dict[labels.Key, tuple[Labels, Floats]] = {}
    for one, value, steps in _distinct(table):
        metric = _group_labels(grouping, labels.changed(one, label, plain(value)))
        context.check(len(counts) * table.steps)
        _, count = counts.setdefault(labels.key(metric), (metric, np.zeros(table.steps)))
        count[steps] += 1
    return concatenate([empty(table.steps), *(single(m, c, c > 0) for m, c in counts.values())])


def _distinct(table: Table) -> Iterator[tuple[Labels, float, Bools]]:
    for one, values, present in zip(table.labels, table.values, table.present, strict=True):
        for value in np.unique(values[present]).tolist():
            yield one, value, present & ((values == value) | (np.isnan(value) & np.isnan(values)))
