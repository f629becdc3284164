"""Sizes in bytes and regular expressions, as Loki reads them."""

from __future__ import annotations

import re

from pocket import regex
from pocket.query.numbers import go_float

_DIGITS = re.compile(r"[0-9.,]*")
_UNIT = re.compile(r"(?:[kmgtpe]i?)?b?")
_EXPONENT = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}


def size_bytes(text: str) -> int:
    """`1.5KiB` in bytes, as dustin/go-humanize ParseBytes: kB is 1000, KiB is 1024, commas count for nothing."""
    digits = _DIGITS.match(text)
    assert digits is not None
    number, unit = go_float(digits[0].replace(",", "")), text[digits.end() :].strip().lower()
    if not _UNIT.fullmatch(unit):
        raise ValueError(f"unhandled size name: {unit}")
    prefix = unit.rstrip("b")
    size = number * (1024 if prefix.endswith("i") else 1000) ** _EXPONENT[prefix.rstrip("i")]
    if size >= 2**64:
        raise ValueError(f"too large: {text}")
    return int(size)


def go_regex(text: str) -> regex.Pattern:
    """Compile an RE2 pattern; raises ValueError in the words of Go's regexp."""
    try:
        return regex.compile(text)
    except regex.InvalidPatternError as error:
        raise ValueError(f"error parsing regexp: {error}") from None
