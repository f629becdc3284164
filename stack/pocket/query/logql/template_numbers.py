"""Arithmetic of Loki's templates, as sprig does it: whatever comes is cast, zero for what is no number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pocket.query.logql.go_values import Int64, int64, plain
from pocket.query.numbers import go_float


def number(value: Any) -> float:
    if isinstance(value, str):
        try:
            return go_float(value)
        except ValueError:
            return 0.0
    return float(value) if isinstance(value, int | float) else 0.0


def whole(value: Any) -> Int64:
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, float):
        return int64(int(value)) if math.isfinite(value) else Int64(0)
    return int64(value) if isinstance(value, int) else Int64(0)


def _parsed(text: str) -> Int64:
    """A text as strconv.ParseInt with base 0 reads it, so 010 is eight; decimals are cut off."""
    if cut := re.fullmatch(r"([+-]?[0-9]*)\.[0-9]*", text):
        text = cut[1] + ("" if cut[1][-1:].isdigit() else "0")
    try:
        value = int(text, 8) if re.fullmatch(r"[+-]?0[0-7]+", text) else int(text, 0)
    except ValueError:
        return Int64(0)
    return Int64(value) if -(2**63) <= value < 2**63 and text.isascii() and text == text.strip() else Int64(0)


def fold(combine: Callable[[Any, Any], Any], cast: Callable[[Any], Any]) -> Callable[..., Any]:
    def call(first: Any = 0, *rest: Any) -> Any:
        result = cast(first)
        for value in rest:
            result = combine(result, cast(value))
        return result

    return call


def divided(left: Int64, right: Int64) -> Int64:
    """Towards zero, as in Go."""
    if not right:
        raise ValueError("runtime error: integer divide by zero")
    quotient = abs(left) // abs(right)
    return int64(quotient if (left < 0) == (right < 0) else -quotient)


def _decimal(value: Any) -> Decimal:
    found = number(value)
    if not math.isfinite(found):
        raise ValueError(f"Cannot create a Decimal from {plain(found)}")
    return Decimal(repr(found))


def ratio(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise ValueError("decimal division by 0")
    return (left / right).quantize(Decimal("1e-16"), ROUND_HALF_UP)


def in_decimals(combine: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., float]:
    total = fold(combine, _decimal)
    return lambda *values: float(total(*values))


def rounded(value: Any, digits: int, half: float = 0.5, *_: float) -> float:
    scale = 10.0 ** min(digits, 300)
    scaled = number(value) * scale
    if not math.isfinite(scaled):
        return scaled
    return (math.ceil(scaled) if math.modf(scaled)[0] >= half else math.floor(scaled)) / scale


def whole_float(rounded: Callable[[float], int], value: Any) -> float:
    found = number(value)
    return float(rounded(found)) if math.isfinite(found) else found
