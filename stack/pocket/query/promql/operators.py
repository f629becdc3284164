"""Binary operators on numbers, and between a scalar and a vector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pocket.query.promql import ast, labels
from pocket.query.promql.table import Bools, Floats, Table, merge

ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,  # Go's math.Mod: the sign is the dividend's
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: dict[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def elements(op: str, lhs: Floats, rhs: Floats) -> tuple[Floats, Bools | None]:
    """(values, which to keep): a comparison keeps the left value where it holds; arithmetic keeps all (None)."""
    if op in COMPARISON:
        return lhs, COMPARISON[op](lhs, rhs)
    return ARITHMETIC[op](lhs, rhs), None


def scalars(op: str, lhs: Floats, rhs: Floats) -> Floats:
    if op in COMPARISON:
        return COMPARISON[op](lhs, rhs).astype(np.float64)
    return ARITHMETIC[op](lhs, rhs)


def with_scalar(node: ast.Binary, vector: Table, scalar: Floats, *, scalar_first: bool) -> Table:
    """A filter keeps the vector's values, whichever side it stands on, and its name."""
    lhs, rhs = (scalar, vector.values) if scalar_first else (vector.values, scalar)
    values, kept = elements(node.op, lhs, rhs)
    if kept is None:
        return merge(Table(labels.drop_names(vector.labels), values, vector.present))
    if node.return_bool:
        return merge(Table(labels.drop_names(vector.labels), kept.astype(np.float64), vector.present))
    return merge(Table(vector.labels, vector.values, vector.present & kept))
