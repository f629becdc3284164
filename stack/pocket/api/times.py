"""Times as Loki and Tempo read them (loghttp's params.go, of which both make use). All times are in ns.

Everything here raises BadRequest with their text.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pocket.api.form import BadRequest, Form
from pocket.query.durations import prometheus_duration_ns
from pocket.query.errors import QueryFailure

MS = 10**6
SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_INT = re.compile(r"[+-]?[0-9]+")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Range:
    start_ns: int
    end_ns: int


def span(form: Form, since_ns: int = HOUR) -> Range:
    """`start` and `end`; absent: now, and `since` before it. The end may lie before the start."""
    now = time.time_ns()
    if form.get("since"):
        since_ns = _named("since", prometheus_duration_ns, form.get("since"))
    end = _named("end", lambda text: timestamp(text, now), form.get("end"))
    return Range(_named("start", lambda text: timestamp(text, min(end, now) - since_ns), form.get("start")), end)


def _named(name: str, read: Callable[[str], int], text: str) -> int:
    try:
        return read(text)
    except (ValueError, QueryFailure) as error:
        raise BadRequest(f"could not parse '{name}' parameter: {error}") from None


def timestamp(text: str, default: int) -> int:
    """Unix seconds (up to ten digits, or with a fraction), Unix nanoseconds, or RFC 3339."""
    if not text:
        return default
    if "." in text and _float(text) is not None:
        seconds, _, fraction = text.partition(".")
        if seconds.isdigit() and fraction.isdigit():  # Loki rounds to milliseconds
            return int(seconds) * SECOND + round(float("0." + fraction) * 1000) * MS
        return round((_float(text) or 0.0) * 1000) * MS
    if _INT.fullmatch(text):
        return _in_range(integer(text) * SECOND if len(text) <= 10 else integer(text), text)
    return _rfc3339(text)


def integer(text: str) -> int:
    """Beyond 40 digits some other number beyond all limits: Python refuses to read more than 4300.

    ValueError for what is no integer.
    """
    if not _INT.fullmatch(text):
        raise ValueError(text)
    return int(text[:40])


def _in_range(ns: int, text: str) -> int:
    if not -(2**63) <= ns < 2**63:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": value out of range')
    return ns


def _rfc3339(text: str) -> int:
    found = _RFC3339.fullmatch(text)
    try:
        if not found:
            raise ValueError
        whole = datetime.fromisoformat(found[1] + ("+00:00" if found[3] == "Z" else found[3]))
        return _in_range(int(whole.timestamp()) * SECOND + int(float(found[2] or 0) * SECOND), text)
    except ValueError:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 9.2e9 else None


def go_duration(ns: int) -> str:
    """`1m2.5s`, `300ms`, `5µs`: Go's Duration.String."""
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    if ns < SECOND:
        return sign + _small(ns)
    text = ""
    for size, unit in ((HOUR, "h"), (MINUTE, "m")):
        count, ns = divmod(ns, size)
        text += f"{count}{unit}" if count or text else ""
    return f"{sign}{text}{_decimal(ns, SECOND)}s"


def _small(ns: int) -> str:
    for size, unit in ((MS, "ms"), (10**3, "µs")):
        if ns >= size:
            return _decimal(ns, size) + unit
    return f"{ns}ns" if ns else "0s"


def _decimal(ns: int, size: int) -> str:
    whole, rest = divmod(ns, size)
    return f"{whole}.{rest:0{len(str(size)) - 1}d}".rstrip("0").rstrip(".")
