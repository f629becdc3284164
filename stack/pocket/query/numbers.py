"""Numbers as Go's strconv reads and writes them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from pocket.query.quoting import quoted

# A decimal number or one of the words, or a hexadecimal one, always with a binary exponent. Underscores may stand
# between digits.
_DIGITS = "(?:[0-9]+(?:_[0-9]+)*)"
_DECIMAL = re.compile(
    rf"[+-]?(?:(?:{_DIGITS}(?:\.{_DIGITS}?)?|\.{_DIGITS})(?:e[+-]?{_DIGITS})?|inf(?:inity)?)|nan", re.IGNORECASE
)
_HEXADECIMAL = re.compile(
    r"[+-]?0x_?(?:(?:[0-9a-f]_?)+\.?(?:[0-9a-f]_?)*|\.(?:[0-9a-f]_?)+)(?<!_)p[+-]?[0-9]+", re.IGNORECASE
)


def go_float(text: str) -> float:
    """As strconv.ParseFloat. Raises ValueError with its words."""
    if _DECIMAL.fullmatch(text):
        value = float(text)
    elif _HEXADECIMAL.fullmatch(text):
        value = _hexadecimal(text)
    else:
        raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax")
    if math.isinf(value) and text[-1] not in "fFyY":
        raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: value out of range")
    return value


def _hexadecimal(text: str) -> float:
    try:
        return float.fromhex(text.replace("_", ""))
    except OverflowError:
        return math.inf


def plain(value: float) -> str:
    """strconv.FormatFloat(value, 'f', -1, 64): shortest digits that read back the same, never an exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        return format(Decimal(text), "f")
    return text.removesuffix(".0")


def json_value(value: float) -> str:
    """As in a query's answer (util/jsonutil.MarshalFloat): an exponent below 1e-6 and from 1e21 on."""
    magnitude = abs(value)
    if magnitude != 0 and (magnitude < 1e-6 or magnitude >= 1e21) and math.isfinite(value):
        mantissa, _, exponent = repr(value).partition("e")
        return f"{mantissa.removesuffix('.0')}e{exponent}"
    return plain(value)


def fixed(value: float) -> str:
    """fmt's %f: six decimals."""
    return f"{value:f}" if math.isfinite(value) else plain(value)


def general(value: float, digits: int | None = None) -> str:
    """fmt's %g, or %.<digits>g: an exponent below 1e-4 and, without digits, from 1e21 on."""
    if not math.isfinite(value):
        return plain(value)
    if digits is not None:
        return f"{value:.{digits}g}"
    if value != 0 and (abs(value) < 1e-4 or abs(value) >= 1e21):
        mantissa, _, exponent = repr(value).partition("e")
        return f"{mantissa.removesuffix('.0')}e{exponent}"
    return plain(value)
