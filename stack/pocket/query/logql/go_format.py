"""Go's fmt.Sprintf as far as a template's values reach: texts, whole numbers, floats, booleans (fmt/print.go).

What is wrong with a layout is told in the text, as in Go: `%!d(string=x)`, `%!d(MISSING)`, `%!(EXTRA int=1)`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from pocket.budget import current
from pocket.query.logql.go_values import kind, plain
from pocket.query.quoting import quoted

TOO_LARGE = 1_000_000  # fmt's tooLarge, of a width and of a precision
_VERB = re.compile(r"%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(.)?", re.DOTALL)
_WHOLE = {"d": "d", "b": "b", "o": "o", "x": "x", "X": "X"}
_FLOAT = {"e": "e", "E": "E", "f": "f", "F": "f", "g": "g", "G": "G"}


def sprintf(layout: str, *values: Any) -> str:
    """Each piece is charged to the query before it is made."""
    pieces: list[str] = []
    rest, position = iter(values), 0
    for found in _VERB.finditer(layout):
        pieces += (layout[position : found.start()], _formatted(found, rest))
        position = found.end()
    pieces.append(layout[position:])
    extra = ", ".join(f"{kind(value)}={plain(value)}" for value in rest)
    return "".join(pieces) + (f"%!(EXTRA {extra})" if extra else "")


def _formatted(found: re.Match[str], rest: Iterator[Any]) -> str:
    flags, verb, wrong = found[1], found[4], ""
    if verb is None:
        return "%!(NOVERB)"
    width, bad = _size(found[2], rest)
    wrong += "%!(BADWIDTH)" if bad else ""
    if width < 0:  # from a `*`
        flags, width = flags + "-", -width
    precision, bad = _size(found[3], rest) if "." in found[0][:-1] else (-1, False)
    wrong += "%!(BADPREC)" if bad else ""
    precision = -1 if bad else precision
    if verb == "%":
        return wrong + "%"
    try:
        value = next(rest)
    except StopIteration:
        return f"{wrong}%!{verb}(MISSING)"
    current().room(4 * (width + max(precision, 0)))
    return wrong + _padded(_shown(verb, flags, precision, value), flags, width, value)


def _size(text: str | None, rest: Iterator[Any]) -> tuple[int, bool]:
    """A width or precision, and whether it is none: 0 then, as if it had not been given."""
    if text != "*":
        size = int((text or "0")[:9])
        return (0, True) if size > TOO_LARGE else (size, False)
    given = next(rest, None)
    if isinstance(given, bool) or not isinstance(given, int) or abs(given) > TOO_LARGE:
        return 0, True
    return given, False


def _shown(verb: str, flags: str, precision: int, value: Any) -> str:
    if verb == "v":
        return plain(value)
    if verb == "T":
        return kind(value)
    if isinstance(value, bool):
        return plain(value) if verb == "t" else _mistaken(verb, value)
    if isinstance(value, int):
        return _integer(verb, flags, precision, value)
    if isinstance(value, float):
        return _real(verb, flags, precision, value)
    if isinstance(value, str):
        return _text(verb, precision, value)
    return plain(value) if verb == "s" and not isinstance(value, dict | list) else _mistaken(verb, value)


def _integer(verb: str, flags: str, precision: int, value: int) -> str:
    if verb == "c":
        return chr(value) if 0 <= value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF else "\ufffd"
    if verb not in _WHOLE:
        return _mistaken(verb, value)
    digits = format(abs(value), _WHOLE[verb])
    prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") if "#" in flags else ""
    return _sign(value, flags) + prefix + digits.rjust(precision, "0")


def _real(verb: str, flags: str, precision: int, value: float) -> str:
    if verb not in _FLOAT:
        return _mistaken(verb, value)
    if not math.isfinite(value):
        sign = "+" if value > 0 else "-" if value < 0 else ""
        return (sign if "+" in flags or value < 0 else "") + ("NaN" if math.isnan(value) else "Inf")
    if verb in "gG" and precision < 0:  # the shortest that reads back
        return _sign(value, flags) + plain(abs(value))
    return _sign(value, flags) + format(abs(value), f".{6 if precision < 0 else precision}{_FLOAT[verb]}")


def _text(verb: str, precision: int, value: str) -> str:
    cut = value if precision < 0 else value[:precision]
    match verb:
        case "s":
            return cut
        case "q":
            current().room(12 * len(cut))
            return quoted(cut)
        case "x" | "X":
            current().room(2 * 4 * len(cut))
            return cut.encode().hex() if verb == "x" else cut.encode().hex().upper()
    return _mistaken(verb, value)


def _padded(text: str, flags: str, width: int, value: Any) -> str:
    if len(text) >= width:
        return text
    if "-" in flags:
        return text.ljust(width)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if "0" in flags and (not number or text[-1:].isalnum()):
        signed = number and text[:1] in "+- "
        return text[:1] + text[1:].rjust(width - 1, "0") if signed else text.rjust(width, "0")
    return text.rjust(width)


def _sign(value: float, flags: str) -> str:
    if math.copysign(1, value) < 0:
        return "-"
    return "+" if "+" in flags else " " if " " in flags else ""


def _mistaken(verb: str, value: Any) -> str:
    return f"%!{verb}({kind(value)}={plain(value)})"
