"""Loki's request parameters (pkg/loghttp/params.go): times, ranges, steps, limits. All times are in ns.

Everything here raises BadRequest with Loki's text.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime

from pocket.api.form import Form
from pocket.query.durations import prometheus_duration_ns
from pocket.query.errors import QueryFailure

SECOND = 10**9
HOUR = 3600 * SECOND
MAX_ENTRIES = 5000  # limits_config.max_entries_limit_per_query
MAX_LENGTH = 721 * HOUR  # limits_config.max_query_length
MAX_POINTS = 11_000
_INT = re.compile(r"[+-]?[0-9]+")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


class BadRequest(QueryFailure):
    status = 400


@dataclass(frozen=True, slots=True)
class Range:
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class RangeQuery:
    text: str
    start_ns: int
    end_ns: int
    step_ns: int
    interval_ns: int
    limit: int
    newest_first: bool


@dataclass(frozen=True, slots=True)
class InstantQuery:
    text: str
    t_ns: int
    limit: int


def range_query(form: Form) -> RangeQuery:
    span = bounds(form)
    limit, newest_first = positive(form, "limit", 100), _newest_first(form)
    step = duration(form.get("step")) if form.get("step") else default_step_ns(span)
    if step <= 0:
        raise BadRequest("zero or negative query resolution step widths are not accepted. Try a positive integer")
    if (span.end_ns - span.start_ns) // step > MAX_POINTS:
        raise BadRequest(
            "exceeded maximum resolution of 11,000 points per time series. "
            "Try increasing the value of the step parameter"
        )
    interval = duration(form.get("interval")) if form.get("interval") else 0
    if interval < 0:
        raise BadRequest("interval must be >= 0")
    return RangeQuery(form.get("query"), span.start_ns, span.end_ns, step, interval, limit, newest_first)


def instant_query(form: Form) -> InstantQuery:
    limit = positive(form, "limit", 100)
    moment = timestamp(form.get("time"), time.time_ns())
    _newest_first(form)
    return InstantQuery(form.get("query"), moment, limit)


def aligned(asked: RangeQuery) -> tuple[int, int]:
    """Start and end of a metric query, down to multiples of its step: Loki's align_queries_with_step."""
    step_ms = max(asked.step_ns // 10**6, 1)
    return tuple(ns // 10**6 // step_ms * step_ms * 10**6 for ns in (asked.start_ns, asked.end_ns))  # type: ignore


def bounds(form: Form, since_ns: int = HOUR) -> Range:
    """`start` and `end`; absent: the last hour, or the last `since`."""
    now = time.time_ns()
    if form.get("since"):
        since_ns = _wrapped("since", prometheus_duration_ns, form.get("since"))
    end = _wrapped("end", lambda text: timestamp(text, now), form.get("end"))
    start = _wrapped("start", lambda text: timestamp(text, min(end, now) - since_ns), form.get("start"))
    if end < start:
        raise BadRequest("end timestamp must not be before or equal to start time")
    if end - start > MAX_LENGTH:
        raise BadRequest(
            f"the query time range exceeds the limit (query length: {_go_duration(end - start)}, limit: 30d1h)"
        )
    return Range(start, end)


def _wrapped(name: str, parse: object, text: str) -> int:
    try:
        return int(parse(text))  # type: ignore[operator]
    except (ValueError, QueryFailure) as error:
        raise BadRequest(f"could not parse '{name}' parameter: {error}") from None


def _go_duration(ns: int) -> str:
    hours, rest = divmod(ns, HOUR)
    minutes, seconds = divmod(rest // SECOND, 60)
    return f"{hours}h{minutes}m{seconds}s"


def timestamp(text: str, default: int) -> int:
    """Unix seconds (up to ten digits, or with a fraction), Unix nanoseconds, or RFC 3339."""
    if not text:
        return default
    if "." in text and _float(text) is not None:
        seconds, _, fraction = text.partition(".")
        if seconds.isdigit() and fraction.isdigit():  # Loki rounds to milliseconds
            return int(seconds) * SECOND + round(float("0." + fraction) * 1000) * 10**6
        return round((_float(text) or 0.0) * 1000) * 10**6
    if _INT.fullmatch(text):
        return _in_range(_int(text) * SECOND if len(text) <= 10 else _int(text), text)
    return _rfc3339(text)


def _int(text: str) -> int:
    """Beyond 40 digits some other number beyond all limits: Python refuses to read more than 4300."""
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


def duration(text: str) -> int:
    """Seconds as a number, or Prometheus' notation (`30s`)."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            return prometheus_duration_ns(text)
        except ValueError:
            raise BadRequest(f'cannot parse "{text}" to a valid duration') from None
    if not abs(seconds) < 2**63 / SECOND:
        raise BadRequest(f'cannot parse "{text}" to a valid duration. It overflows int64')
    return int(seconds * SECOND)


def default_step_ns(span: Range) -> int:
    return max((span.end_ns - span.start_ns) // SECOND // 250, 1) * SECOND


def positive(form: Form, name: str, default: int) -> int:
    text = form.get(name)
    if not text:
        return default
    if not _INT.fullmatch(text):
        raise BadRequest(f'strconv.Atoi: parsing "{text}": invalid syntax')
    number = _int(text)
    if number <= 0:
        raise BadRequest("limit must be a positive value")
    if number >= 2**32:
        raise BadRequest(f"limit value {text} is out of range [0, 4294967295]")
    return number


def check_entries(limit: int) -> None:
    if limit > MAX_ENTRIES:
        raise BadRequest(
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {MAX_ENTRIES})"
        )


def _newest_first(form: Form) -> bool:
    direction = form.get("direction", "backward")
    if direction.lower() not in ("forward", "backward"):
        raise BadRequest(f"invalid direction '{direction}'")
    return direction.lower() == "backward"
