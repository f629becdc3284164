"""Operators on TraceQL's values (Tempo's ast_execute.go): types must match, and what is missing equals nothing."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from pocket import regex
from pocket.query.errors import QueryFailure
from pocket.query.traceql.ast import Duration, Kind, Status, Value

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_FLIPPED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_ARITHMETIC = ("+", "-", "*", "/", "%", "^")
_NUMBERS = {"TypeInt", "TypeFloat", "TypeDuration"}
_EQUALITY = ("=", "!=")


_GO_TYPES = {
    "nil": "TypeNil", "status": "TypeStatus", "kind": "TypeKind", "bool": "TypeBoolean", "string": "TypeString",
}  # fmt: skip


class Impossible(QueryFailure):
    """A query that is well formed and cannot be executed; Tempo answers 400."""

    status = 400


def go_type(value: Value) -> str:
    """What Tempo's messages call the type."""
    match value:
        case list():
            return f"{go_type(value[0])}Array" if value else "TypeNil"  # type: ignore[arg-type]
        case Duration():
            return "TypeDuration"
        case float():
            return "TypeFloat"
    return _GO_TYPES.get(type_of(value), "TypeInt")


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
    """The result; False where the types do not go together. Raises Impossible, as for integers divided by zero."""
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
    if (
        op in _ARITHMETIC
        and {go_type(left).removesuffix("Array"), go_type(right).removesuffix("Array")} <= _NUMBERS
    ):
        raise Impossible("unsupported operation")
    if isinstance(left, list):
        results = [operate(op, item, right) for item in left]  # type: ignore[arg-type]
    elif isinstance(right, list):
        results = [operate(op, left, item) for item in right]  # type: ignore[arg-type]
    else:
        return False
    return any(result is True for result in results)


def arithmetic(op: str, left: Any, right: Any) -> int | float:
    """Integers stay integers, division towards zero, as in Go; with a duration in it, it is done in floats."""
    whole = type(left) is int and type(right) is int
    if whole and op in ("/", "%"):
        return _whole_division(op, left, right)
    if not whole:
        left, right = float(left), float(right)
    match op:
        case "+":
            return left + right  # type: ignore[no-any-return]
        case "-":
            return left - right  # type: ignore[no-any-return]
        case "*":
            return left * right  # type: ignore[no-any-return]
        case "/":
            return _float_division(left, right)
        case "%":
            return math.fmod(left, right) if right and math.isfinite(left) else math.nan
    return _power(left, right, whole=whole)


def _whole_division(op: str, left: int, right: int) -> int:
    if not right:
        raise Impossible("division by zero" if op == "/" else "modulo by zero")
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if op == "/" else left - quotient * right


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
