"""Functions of one sample at a time: mathematics and dates (promql/functions.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pocket.query.promql.table import Floats, Ints

SECONDS_A_DAY = 86_400


def sign(x: Floats) -> Floats:
    return np.where(x < 0, -1.0, np.where(x > 0, 1.0, x))


def go_maximum(x: Floats, y: Floats) -> Floats:
    """math.Max: NaN if one is, except that +Inf is larger than that too."""
    return np.where(np.isposinf(x) | np.isposinf(y), np.inf, np.maximum(x, y))


def go_minimum(x: Floats, y: Floats) -> Floats:
    return -go_maximum(-x, -y)


def round_to(x: Floats, nearest: Floats) -> Floats:
    """Ties go up; dividing by the inverse is what Prometheus does for precision."""
    inverse = 1.0 / nearest
    return np.floor(x * inverse + 0.5) / inverse


def _seconds(x: Floats) -> Ints:
    """Go's conversion to int64: what does not fit (NaN, ±Inf) becomes the smallest integer."""
    fits = np.isfinite(x) & (np.abs(x) < 2.0**62)
    return np.where(fits, np.trunc(np.where(fits, x, 0)), 0).astype(np.int64)


def _integers(x: Any) -> Ints:
    return np.asarray(x, dtype=np.int64)


def _days(x: Floats) -> Ints:
    return np.floor_divide(_seconds(x), SECONDS_A_DAY)


def _civil(x: Floats) -> tuple[Ints, Ints, Ints]:
    """Proleptic Gregorian (year, month, day), by Howard Hinnant's civil_from_days."""
    z = _days(x) + 719_468
    era = np.floor_divide(z, 146_097)
    doe = z - era * 146_097
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = np.where(mp < 10, mp + 3, mp - 9)
    return yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) // 5 + 1


def _leap(year: Ints) -> Ints:
    return _integers(((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0))


def _days_in_month(x: Floats) -> Ints:
    year, month, _ = _civil(x)
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    return _integers(lengths[month - 1] + _leap(year) * (month == 2))


def _day_of_year(x: Floats) -> Ints:
    year, month, day = _civil(x)
    before = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
    return _integers(before[month - 1] + _leap(year) * (month > 2) + day)


MATH: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs, "ceil": np.ceil, "floor": np.floor, "exp": np.exp, "sqrt": np.sqrt, "ln": np.log,
    "log2": np.log2, "log10": np.log10, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "sgn": sign,
    "rad": lambda x: x * np.pi / 180, "deg": lambda x: x * 180 / np.pi,
}  # fmt: skip
DATES: dict[str, Callable[[Floats], Ints]] = {
    "year": lambda x: _civil(x)[0],
    "month": lambda x: _civil(x)[1],
    "day_of_month": lambda x: _civil(x)[2],
    "day_of_year": _day_of_year,
    "day_of_week": lambda x: (_days(x) + 4) % 7,
    "days_in_month": _days_in_month,
    "hour": lambda x: _seconds(x) % SECONDS_A_DAY // 3600,
    "minute": lambda x: _seconds(x) % 3600 // 60,
}
