"""Loki's request parameters (pkg/loghttp/params.go): times, ranges, steps, limits. All times are in ns.

Everything here raises BadRequest with Loki's text.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from starlette.datastructures import Headers

from pocket.api.form import BadRequest, Form
from pocket.api.times import HOUR, MS, SECOND, Range, go_duration, integer, span, timestamp
from pocket.query import logql
from pocket.query.durations import prometheus_duration_ns
from pocket.rows import Matcher

MAX_ENTRIES = 5000  # limits_config.max_entries_limit_per_query
MAX_LENGTH = 721 * HOUR  # limits_config.max_query_length
MAX_POINTS = 11_000
CATEGORIZE = "categorize-labels"


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
    """Raises BadRequest, as all here, for what Loki refuses."""
    asked = bounds(form)
    limit, newest_first = positive(form, "limit", 100), _newest_first(form)
    step = duration(form.get("step")) if form.get("step") else default_step_ns(asked)
    if step <= 0:
        raise BadRequest("zero or negative query resolution step widths are not accepted. Try a positive integer")
    if (asked.end_ns - asked.start_ns) // step > MAX_POINTS:
        raise BadRequest(
            "exceeded maximum resolution of 11,000 points per time series. "
            "Try increasing the value of the step parameter"
        )
    interval = duration(form.get("interval")) if form.get("interval") else 0
    if interval < 0:
        raise BadRequest("interval must be >= 0")
    return RangeQuery(form.get("query"), asked.start_ns, asked.end_ns, step, interval, limit, newest_first)


def instant_query(form: Form) -> InstantQuery:
    limit = positive(form, "limit", 100)
    moment = timestamp(form.get("time"), time.time_ns())
    _newest_first(form)
    return InstantQuery(form.get("query"), moment, limit)


def aligned(asked: RangeQuery) -> tuple[int, int]:
    """Start and end of a metric query, down to multiples of its step: Loki's align_queries_with_step."""
    step_ns = max(asked.step_ns // MS, 1) * MS
    return asked.start_ns // step_ns * step_ns, asked.end_ns // step_ns * step_ns


def matchers(form: Form) -> tuple[Matcher, ...]:
    """Of the selector in `query`; none if it is absent."""
    return logql.parse_matchers(form.get("query")) if form.get("query") else ()


def categorizes(headers: Headers) -> bool:
    """Whether the answer should tell labels of the stream from structured metadata and parsed ones."""
    return CATEGORIZE in headers.get("x-loki-response-encoding-flags", "")


def bounds(form: Form, since_ns: int = HOUR) -> Range:
    """`start` and `end`; absent: the last hour, or the last `since`."""
    asked = span(form, since_ns)
    if asked.end_ns < asked.start_ns:
        raise BadRequest("end timestamp must not be before or equal to start time")
    length = asked.end_ns - asked.start_ns
    if length > MAX_LENGTH:
        raise BadRequest(
            f"the query time range exceeds the limit (query length: {go_duration(length)}, limit: 30d1h)"
        )
    return asked


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


def default_step_ns(asked: Range) -> int:
    """Whole seconds, so that a range has about 250 points."""
    return max((asked.end_ns - asked.start_ns) // SECOND // 250, 1) * SECOND


def positive(form: Form, name: str, default: int) -> int:
    """A limit of at least 1; `default` where it is absent."""
    text = form.get(name)
    if not text:
        return default
    try:
        number = integer(text)
    except ValueError:
        raise BadRequest(f'strconv.Atoi: parsing "{text}": invalid syntax') from None
    if number <= 0:
        raise BadRequest("limit must be a positive value")
    if number >= 2**32:
        raise BadRequest(f"limit value {text} is out of range [0, 4294967295]")
    return number


def check_entries(limit: int) -> None:
    """Raises BadRequest for more lines than one query may have."""
    if limit > MAX_ENTRIES:
        raise BadRequest(
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {MAX_ENTRIES})"
        )


def _newest_first(form: Form) -> bool:
    direction = form.get("direction", "backward")
    if direction.lower() not in ("forward", "backward"):
        raise BadRequest(f"invalid direction '{direction}'")
    return direction.lower() == "backward"
