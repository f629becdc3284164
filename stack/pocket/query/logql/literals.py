"""Sizes in bytes and regular expressions, as Loki reads them."""

from __future__ import annotations

import re

from pocket import regex
from pocket.query.quoting import quoted

_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([kKmMgGtTpPeE]?[iI]?)[bB]?\s*")
_EXPONENT = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}


def size_bytes(text: str) -> int:
    """`1.5KiB` in bytes, as dustin/go-humanize ParseBytes: kB is 1000, KiB is 1024."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax")
    unit = found[2].lower()
    base = 1024 if unit.endswith("i") else 1000
    size = float(found[1]) * base ** _EXPONENT[unit.rstrip("i")]
    if size >= 2**64:
        raise ValueError(f"too large: {text}")
    return int(size)


def go_regex(text: str) -> regex.Pattern:
    """Compile an RE2 pattern; raises ValueError in the words of Go's regexp."""
    try:
        return regex.compile(text)
    except regex.InvalidPatternError as error:
        raise ValueError(f"error parsing regexp: {error}") from None
