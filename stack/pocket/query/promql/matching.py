"""Vector matching: which series of two vectors belong together, and what comes of it (engine.go: VectorBinop)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pocket.query.promql import ast, labels
from pocket.query.promql.operators import elements
from pocket.query.promql.result import QueryError
from pocket.query.promql.table import Bools, Ints, Table, concatenate, merge
from pocket.rows import Labels

Groups = dict[labels.Key, list[int]]


def signature(one: Labels, matching: ast.Matching) -> labels.Key:
    """What must be equal on both sides; `ignoring` never looks at the name."""
    if matching.on:
        return labels.key(labels.keep(one, matching.labels))
    return labels.key(labels.without(one, {labels.NAME, *matching.labels}))


def _grouped(table: Table, matching: ast.Matching) -> Groups:
    groups: Groups = {}
    for i, one in enumerate(table.labels):
        groups.setdefault(signature(one, matching), []).append(i)
    return groups


def set_operation(node: ast.Binary, lhs: Table, rhs: Table) -> Table:
    """and, or, unless: by the presence of the signature on the other side, step by step."""
    if node.op == "or":
        left = _presence(lhs, _grouped(lhs, node.matching), rhs, node.matching)
        return merge(concatenate([lhs, Table(rhs.labels, rhs.values, rhs.present & ~left)]))
    right = _presence(rhs, _grouped(rhs, node.matching), lhs, node.matching)
    return merge(Table(lhs.labels, lhs.values, lhs.present & (right if node.op == "and" else ~right)))


def _presence(table: Table, groups: Groups, of: Table, matching: ast.Matching) -> Bools:
    """For each series of `of`: at which steps `table` has one of its signature."""
    result = np.zeros(of.present.shape, dtype=bool)
    for i, one in enumerate(of.labels):
        if rows := groups.get(signature(one, matching)):
            result[i] = table.present[rows].any(axis=0)
    return result


@dataclass(slots=True)
class _Pairs:
    """Series that match: row `left[p]` of the left and `right[p]` of the right vector give `metrics[p]`."""

    left: Ints
    right: Ints
    metrics: list[Labels]


def vectors(node: ast.Binary, lhs: Table, rhs: Table) -> Table:
    """Arithmetic and comparison between vectors."""
    swapped = node.matching.many == "right"
    many, one = (rhs, lhs) if swapped else (lhs, rhs)
    one_groups = _grouped(one, node.matching)
    _check_one_side(node.matching, one, one_groups, many.anywhere())
    groups = list(_matched(_grouped(many, node.matching), one_groups))
    pairs = _pairs(node, many, one, groups, swapped=swapped)
    return _evaluate(node, pairs, lhs, rhs)


def _matched(many: Groups, one: Groups) -> Iterator[tuple[list[int], list[int]]]:
    for key, rows in many.items():
        if key in one:
            yield rows, one[key]


def _pairs(
    node: ast.Binary, many: Table, one: Table, groups: list[tuple[list[int], list[int]]], *, swapped: bool
) -> _Pairs:
    left: list[int] = []
    right: list[int] = []
    metrics: list[Labels] = []
    for many_rows, one_rows in groups:
        found = [(m, o, _metric(node, many.labels[m], one.labels[o])) for m in many_rows for o in one_rows]
        _check_unique(node.matching, found, many.present, one.present)
        for m, o, metric in found:
            left.append(o if swapped else m)
            right.append(m if swapped else o)
            metrics.append(metric)
    return _Pairs(np.array(left, dtype=np.int64), np.array(right, dtype=np.int64), metrics)


def _metric(node: ast.Binary, many: Labels, one: Labels) -> Labels:
    """Labels of the result (engine.go: resultMetric): the many side's, and of the one side's what is included."""
    metric = many if node.op in ast.COMPARISON and not node.return_bool else labels.drop_name(many)
    matching = node.matching
    if matching.many == "none":
        metric = labels.keep(metric, matching.labels) if matching.on else labels.without(metric, matching.labels)
    for name in matching.include:
        metric = labels.changed(metric, name, one.get(name, ""))
    return metric


def _check_one_side(matching: ast.Matching, table: Table, groups: Groups, others: Bools) -> None:
    """Two series of one signature at a step make the match many-to-many, if the other side has anything there."""
    found: list[tuple[int, int, int]] = []  # step, second series, first series
    for rows in groups.values():
        twice = (table.present[rows].sum(axis=0) > 1) & others
        if len(rows) > 1 and twice.any():
            step = int(np.argmax(twice))
            first, second = [i for i in rows if table.present[i, step]][:2]
            found.append((step, second, first))
    if found:
        _, second, first = min(found)
        raise _duplicates(matching, table.labels[second], table.labels[first])


def _duplicates(matching: ast.Matching, one: Labels, other: Labels) -> QueryError:
    side = "left" if matching.many == "right" else "right"
    group = labels.to_string(dict(signature(one, matching)))
    series = f"[{labels.to_string(one)}, {labels.to_string(other)}]"
    return QueryError(
        "execution",
        f"found duplicate series for the match group {group} on the {side} hand-side of the operation: {series}"
        ";many-to-many matching not allowed: matching labels must be unique on one side",
    )


def _check_unique(matching: ast.Matching, found: list[tuple[int, int, Labels]], many: Bools, one: Bools) -> None:
    """Within a signature: one-to-one gives one result a step, group_left and group_right differing ones."""
    if len(found) < 2:
        return
    by_metric: dict[labels.Key, list[Bools]] = {}
    for m, o, metric in found:
        identity = () if matching.many == "none" else labels.key(metric)
        by_metric.setdefault(identity, []).append(many[m] & one[o])
    if any((np.sum(there, axis=0) > 1).any() for there in by_metric.values()):
        reason = (
            "many-to-one matching must be explicit (group_left/group_right)"
            if matching.many == "none"
            else "grouping labels must ensure unique matches"
        )
        raise QueryError("execution", f"multiple matches for labels: {reason}")


def _evaluate(node: ast.Binary, pairs: _Pairs, lhs: Table, rhs: Table) -> Table:
    values, kept = elements(node.op, lhs.values[pairs.left], rhs.values[pairs.right])
    present = lhs.present[pairs.left] & rhs.present[pairs.right]
    if kept is not None and node.return_bool:
        values = kept.astype(np.float64)
    elif kept is not None:
        present &= kept
    return merge(Table(pairs.metrics, values, present))
