"""Operators on TraceQL's values (Tempo's ast_execute.go): types must match, and what is missing equals nothing."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from pocket import regex
from pocket.query.traceql.ast import Kind, Status, Value

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_FLIPPED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_EQUALITY = ("=", "!=")


def type_of(value: Value) -> str:
    """nil, bool, number, string, status, kind or array; integers, durations and floats compare with each other."""
    match value:
        case None:
            return "nil"
        case Status():
            return "status"
        case Kind():
            return "kind"
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
    return "array"


def operate(op: str, left: Value, right: Value) -> Value:
    """The result; False where the types do not go together. Raises ZeroDivisionError on integers."""
    if op in ("&&", "||"):
        return _logical(op, left, right)
    kinds = type_of(left), type_of(right)
    if "array" in kinds:
        return _array(op, left, right)
    if kinds[0] != kinds[1] or kinds[0] == "nil":
        return False
    if op in COMPARE:
        return COMPARE[op](left, right) if op in _EQUALITY or kinds[0] in ("number", "string") else False
    if op in ("=~", "!~"):
        return kinds[0] == "string" and _matches(str(left), str(right)) == (op == "=~")
    return arithmetic(op, left, right) if kinds[0] == "number" else False


def _matches(text: str, pattern: str) -> bool:
    """Anchored at both ends since Tempo 2.7."""
    return regex.compile(pattern, dot_all=True).fullmatch(text) is not None


def _logical(op: str, left: Value, right: Value) -> bool:
    if op == "&&":
        return left is True and right is True
    return left is True or right is True


def _array(op: str, left: Value, right: Value) -> bool:
    """One side an array: any element will do, for `!=` too (Tempo's fetch layer keeps elements that fulfil it)."""
    if isinstance(left, list) and isinstance(right, list):
        return False
    if isinstance(left, list):
        results = [operate(op, item, right) for item in left]  # type: ignore[arg-type]
    elif isinstance(right, list):
        results = [operate(op, left, item) for item in right]  # type: ignore[arg-type]
    else:
        return False
    return any(result is True for result in results)


def arithmetic(op: str, left: Any, right: Any) -> int | float:
    """Integers stay integers, division towards zero, as in Go."""
    whole = isinstance(left, int) and isinstance(right, int)
    match op:
        case "+":
            return left + right  # type: ignore[no-any-return]
        case "-":
            return left - right  # type: ignore[no-any-return]
        case "*":
            return left * right  # type: ignore[no-any-return]
        case "/":
            return int(left / right) if whole else _float_division(left, right)
        case "%":
            return int(math.fmod(left, right)) if whole else math.fmod(left, right)
    return _power(left, right, whole=whole)


def _float_division(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)


def _power(left: Any, right: Any, *, whole: bool) -> int | float:
    try:
        result = math.pow(left, right)
    except (OverflowError, ValueError):
        return 0 if whole else math.nan
    return int(result) if whole else result
