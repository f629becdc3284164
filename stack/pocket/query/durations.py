"""Durations as Go and as Prometheus write them; all in ns."""

from __future__ import annotations

import math
import re

from pocket.query.quoting import quoted

UNIT_NS = {
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


def go_duration_ns(text: str) -> int:
    """`1h2m3.5s`, as Go's time.ParseDuration. Raises ValueError with Go's words."""
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not _GO_DURATION.fullmatch(rest):
        raise ValueError(_fault(text, rest))
    total = sum(float(number) * UNIT_NS[unit] for number, unit in _GO_PART.findall(rest))
    if total >= 2**63:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    return sign * round(total)


def _fault(text: str, rest: str) -> str:
    if re.fullmatch(_GO_NUMBER, rest):
        return f"time: missing unit in duration {quoted(text)}"
    unknown = re.match(r"(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h))*[0-9]+(?:\.[0-9]*)?([^0-9.]+)", rest)
    if unknown:
        return f'time: unknown unit "{unknown[1]}" in duration {quoted(text)}'
    return f"time: invalid duration {quoted(text)}"


def prometheus_duration_ns(text: str) -> int:
    """`1w2d`, as prometheus/common/model.ParseDuration. Raises ValueError with its words."""
    if text == "0":
        return 0
    if not text:
        raise ValueError("empty duration string")
    total, last = 0, math.inf
    for number, unit in _PROMETHEUS.findall(text):
        if not unit or not _fits(number):
            raise ValueError(f"not a valid duration string: {quoted(text)}")
        if unit not in _PROMETHEUS_UNITS:
            raise ValueError(f"unknown unit {quoted(unit)} in duration {quoted(text)}")
        if UNIT_NS[unit] >= last:  # from the biggest to the smallest
            raise ValueError(f"not a valid duration string: {quoted(text)}")
        last = UNIT_NS[unit]
        total += int(number.lstrip("0") or "0") * last
    if total >= 2**63:
        raise ValueError("duration out of range")
    return total


def _fits(digits: str) -> bool:
    """Whether they are an unsigned number of 64 bits, as strconv.ParseUint wants them."""
    return bool(digits) and len(digits.lstrip("0")) <= 20 and int(digits.lstrip("0") or "0") < 2**64


def duration_ns(text: str) -> int:
    """A duration in a LogQL or TraceQL query: Prometheus' form first, else Go's (parseDuration of both lexers)."""
    try:
        return prometheus_duration_ns(text)
    except ValueError:
        return go_duration_ns(text)
