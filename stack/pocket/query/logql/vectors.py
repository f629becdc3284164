"""Instant vectors, labels → value: aggregation, matching, label_replace (pkg/logql/evaluator.go)."""

from __future__ import annotations

import math
from collections.abc import Callable

from pocket import regex
from pocket.budget import current, size_of
from pocket.query.errors import QueryFailure
from pocket.query.logql import arithmetic, ast
from pocket.query.logql.samples import LabelKey

Vector = dict[LabelKey, float]


# ---- aggregation
def aggregate(expr: ast.VectorAggregation, vector: Vector) -> Vector:
    group = grouper(expr.grouping)
    groups: dict[LabelKey, Vector] = {}
    for labels, value in vector.items():
        groups.setdefault(group(labels), {})[labels] = value
    if expr.op in _ORDERED:
        return {labels: value for members in groups.values() for labels, value in _ordered(expr, members)}
    reduce = _REDUCE[expr.op]
    return {labels: reduce(list(members.values())) for labels, members in groups.items()}


def grouper(grouping: ast.Grouping) -> Callable[[LabelKey], LabelKey]:
    names = frozenset(grouping.labels)
    return lambda labels: tuple(item for item in labels if (item[0] in names) != grouping.without)


_ORDERED = {"topk": True, "sort_desc": True, "bottomk": False, "sort": False}


def _ordered(expr: ast.VectorAggregation, members: Vector) -> list[tuple[LabelKey, float]]:
    """By value, NaN last; topk and bottomk keep as many as asked for."""
    sign = -1 if _ORDERED[expr.op] else 1
    ordered = sorted(members.items(), key=lambda item: (math.isnan(item[1]), sign * item[1]))
    return ordered[: expr.parameter] if expr.op in ("topk", "bottomk") else ordered


def _without_nan(choose: Callable[[list[float]], float]) -> Callable[[list[float]], float]:
    def run(values: list[float]) -> float:
        numbers = [value for value in values if not math.isnan(value)]
        return choose(numbers) if numbers else math.nan

    return run


def _variance(values: list[float]) -> float:
    """Welford's algorithm, begun with the first value as Loki does."""
    total, mean = 0.0, values[0]
    for count, value in enumerate(values[1:], 2):
        delta = value - mean
        mean += delta / count
        total += delta * (value - mean)
    return total / len(values)


def _average(values: list[float]) -> float:
    mean = 0.0
    for count, value in enumerate(values, 1):
        if math.isinf(mean) and (value == mean or math.isfinite(value)):
            continue
        mean += (value - mean) / count
    return mean


_REDUCE: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "avg": _average,
    "max": _without_nan(max),
    "min": _without_nan(min),
    "count": lambda values: float(len(values)),
    "stddev": lambda values: math.sqrt(_variance(values)),
    "stdvar": _variance,
}


# ---- operators
def with_scalar(op: str, vector: Vector, scalar: float, *, scalar_left: bool, return_bool: bool) -> Vector:
    result: Vector = {}
    for labels, value in vector.items():
        left, right = (scalar, value) if scalar_left else (value, scalar)
        merged = arithmetic.apply(op, left, right, value, return_bool)
        if merged is not None:
            result[labels] = merged
    return result


def combine(expr: ast.Binary, left: Vector, right: Vector) -> Vector:
    match expr.op:
        case "and":
            found = _signatures(right, expr.matching)
            return {labels: value for labels, value in left.items() if signature(labels, expr.matching) in found}
        case "unless":
            found = _signatures(right, expr.matching)
            return {
                labels: value for labels, value in left.items() if signature(labels, expr.matching) not in found
            }
        case "or":
            found = _signatures(left, expr.matching)
            missing = {key: value for key, value in right.items() if signature(key, expr.matching) not in found}
            return {**left, **missing}
    return _match(expr, left, right)


def signature(labels: LabelKey, matching: ast.Matching) -> LabelKey:
    return tuple(item for item in labels if (item[0] in matching.labels) == matching.on)


def _signatures(vector: Vector, matching: ast.Matching) -> set[LabelKey]:
    return {signature(labels, matching) for labels in vector}


def _match(expr: ast.Binary, left: Vector, right: Vector) -> Vector:
    swapped = expr.matching.card == "one-to-many"
    many, one = (right, left) if swapped else (left, right)
    partners = _partners(one, expr.matching, "left" if swapped else "right")
    result: Vector = {}
    seen: set[LabelKey] = set()
    for labels, value in many.items():
        partner = partners.get(signature(labels, expr.matching))
        if partner is None:
            continue
        target = _result_labels(labels, partner[0], expr.matching)
        _refuse_repeats(seen, target, signature(labels, expr.matching), expr.matching)
        sides = (partner[1], value) if swapped else (value, partner[1])
        merged = arithmetic.apply(expr.op, *sides, sides[0], expr.matching.return_bool)
        if merged is not None:
            result[target] = merged
    return result


def _partners(one: Vector, matching: ast.Matching, side: str) -> dict[LabelKey, tuple[LabelKey, float]]:
    partners: dict[LabelKey, tuple[LabelKey, float]] = {}
    for labels, value in one.items():
        key = signature(labels, matching)
        if key in partners:
            raise QueryFailure(
                f"found duplicate series on the {side} hand-side;many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )
        partners[key] = (labels, value)
    return partners


def _refuse_repeats(seen: set[LabelKey], target: LabelKey, key: LabelKey, matching: ast.Matching) -> None:
    one_to_one = matching.card == "one-to-one"
    marker = key if one_to_one else target
    if marker in seen:
        raise QueryFailure(
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            if one_to_one
            else "multiple matches for labels: grouping labels must ensure unique matches"
        )
    seen.add(marker)


def _result_labels(many: LabelKey, one: LabelKey, matching: ast.Matching) -> LabelKey:
    labels = dict(signature(many, matching) if matching.card == "one-to-one" else many)
    partner = dict(one)
    for name in matching.include:
        labels.pop(name, None)
        if partner.get(name):
            labels[name] = partner[name]
    return tuple(sorted(labels.items()))


# ---- label_replace
def replace_label(expr: ast.LabelReplace, pattern: regex.Pattern, vector: Vector) -> Vector:
    replaced = {_replaced(expr, pattern, labels): value for labels, value in vector.items()}
    if len(replaced) < len(vector):  # Loki would answer with the same labels twice
        raise QueryFailure("label_replace: vector cannot contain metrics with the same labelset")
    return replaced


def _replaced(expr: ast.LabelReplace, pattern: regex.Pattern, labels: LabelKey) -> LabelKey:
    named = dict(labels)
    found = pattern.fullmatch(named.get(expr.source, ""))
    if not found:
        return labels
    value = regex.expand(expr.replacement, found)
    current().hold(size_of(value))
    named.pop(expr.target, None)
    if value:
        named[expr.target] = value
    return tuple(sorted(named.items()))
