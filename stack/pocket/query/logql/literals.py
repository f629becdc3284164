"""Durations, sizes, strings and regular expressions as Go spells them."""

from __future__ import annotations

import json
import math
import re

from pocket import regex

_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
    "w": 7 * 86400 * 10**9,
    "y": 365 * 86400 * 10**9,
}
# Digits match in one way only: what is no duration, such as a field of a thousand digits, is known by one pass.
_GO_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_GO_PART = re.compile(f"({_GO_NUMBER})(ns|us|µs|μs|ms|s|m|h)")
_GO_DURATION = re.compile(f"(?:{_GO_PART.pattern})+")
_PROMETHEUS = re.compile(r"(?=.)([0-9]*)([^0-9]*)")
_PROMETHEUS_UNITS = {"y", "w", "d", "h", "m", "s", "ms"}
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([kKmMgGtTpPeE]?[iI]?)[bB]?\s*")
_EXPONENT = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)


def go_duration_ns(text: str) -> int:
    """`1h2m3.5s` in ns, as Go's time.ParseDuration. Raises ValueError with Go's words."""
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not _GO_DURATION.fullmatch(rest):
        raise ValueError(_duration_fault(text, rest))
    total = sum(float(number) * _UNIT_NS[unit] for number, unit in _GO_PART.findall(rest))
    if total >= 2**63:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    return sign * round(total)


def _duration_fault(text: str, rest: str) -> str:
    if re.fullmatch(_GO_NUMBER, rest):
        return f"time: missing unit in duration {quoted(text)}"
    unknown = re.match(r"(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h))*[0-9]+(?:\.[0-9]*)?([^0-9.]+)", rest)
    if unknown:
        return f'time: unknown unit "{unknown[1]}" in duration {quoted(text)}'
    return f"time: invalid duration {quoted(text)}"


def prometheus_duration_ns(text: str) -> int:
    """`1w2d` in ns, as prometheus/common/model.ParseDuration. Raises ValueError with its words."""
    if text == "0":
        return 0
    if not text:
        raise ValueError("empty duration string")
    total, last = 0, math.inf
    for number, unit in _PROMETHEUS.findall(text):
        if not number or not unit:
            raise ValueError(f"not a valid duration string: {quoted(text)}")
        if unit not in _PROMETHEUS_UNITS:
            raise ValueError(f"unknown unit {quoted(unit)} in duration {quoted(text)}")
        if _UNIT_NS[unit] >= last:  # from the biggest to the smallest
            raise ValueError(f"not a valid duration string: {quoted(text)}")
        last = _UNIT_NS[unit]
        total += int(number) * last
    if total >= 2**63:
        raise ValueError("duration out of range")
    return total


def duration_ns(text: str) -> int:
    """A duration literal of a query: Prometheus' form first, else Go's (Loki's lex.go parseDuration)."""
    try:
        return prometheus_duration_ns(text)
    except ValueError:
        return go_duration_ns(text)


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


def go_float(text: str) -> float:
    """As Go's strconv.ParseFloat; raises ValueError with its words."""
    try:
        if not text or text != text.strip() or "_" in text:
            raise ValueError
        return float(int(text, 16)) if text[:2].lower() == "0x" else float(text)
    except ValueError:
        raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax") from None


def quoted(text: str) -> str:
    """Much as Go's %q: in double quotes, with escapes, letters of all scripts as they are."""
    return json.dumps(text, ensure_ascii=False)


def unquote(literal: str) -> str:
    """The value of a Go string literal, quoted or raw (back-quoted). Raises ValueError on an unknown escape."""
    if literal[0] == "`":
        return literal[1:-1].replace("\r", "")
    return _ESCAPE.sub(_unescape, literal[1:-1])


def _unescape(found: re.Match[str]) -> str:
    body = found[1]
    if body[0] in "xuU" and len(body) > 1:
        code = int(body[1:], 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise ValueError("invalid syntax")
        return chr(code)
    if body.isdigit() and len(body) == 3:
        return chr(int(body, 8))
    if body in ("\\", '"', "'"):
        return body
    if body not in _ESCAPES:
        raise ValueError("invalid char escape")
    return _ESCAPES[body]


def go_regex(text: str) -> regex.Pattern:
    """Compile an RE2 pattern; raises ValueError in the words of Go's regexp."""
    try:
        return regex.compile(text)
    except regex.InvalidPatternError as error:
        raise ValueError(f"error parsing regexp: {error}") from None
