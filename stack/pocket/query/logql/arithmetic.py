"""Two numbers and an operator, as Loki's MergeBinOp (pkg/logql/syntax/ast.go) has them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan  # unlike PromQL, Loki has no infinity here


def _modulo(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf if left > 0 or right % 2 == 0 else -math.inf
    except ValueError:  # 0 ^ -1 is infinite, -8 ^ 0.5 is no real number
        return math.inf if left == 0 else math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "^": _power,
}
COMPARISON: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def fold(op: str, left: float, right: float) -> float:
    """Two literals are computed while parsing; a comparison gives 1 or 0."""
    return ARITHMETIC[op](left, right) if op in ARITHMETIC else float(COMPARISON[op](left, right))


def apply(op: str, left: float, right: float, kept: float, return_bool: bool) -> float | None:
    """The value of `left op right`; None when a comparison filters the sample out. `kept` survives a true one."""
    if op in ARITHMETIC:
        return ARITHMETIC[op](left, right)
    holds = COMPARISON[op](left, right)
    if return_bool:
        return float(holds)
    return kept if holds else None
