"""Times in Loki's templates: made of texts and numbers, and their methods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pocket.query.logql import go_time
from pocket.query.logql.go_time import SECOND, Duration, Time
from pocket.query.logql.go_values import Int64, int64
from pocket.query.logql.template_types import Function
from pocket.query.quoting import quoted


def date(layout: str, value: Any) -> str:
    """Seconds where it is a number, the present where it is no time either."""
    if isinstance(value, int) and not isinstance(value, bool | Duration):
        value = Time(value * SECOND)
    return (value if isinstance(value, Time) else go_time.now()).format(layout)


_EPOCH_UNITS = {5: 86400 * SECOND, 10: SECOND, 13: 10**6, 16: 1000, 19: 1}  # by the number of digits


def from_epoch(text: str) -> Time:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(
            f"unable to parse time '{text}': strconv.ParseInt: parsing {quoted(text)}: invalid syntax"
        )
    if len(text) not in _EPOCH_UNITS:
        raise ValueError(f"unable to parse time '{text}': %!w(<nil>)")
    return Time(int(text) * _EPOCH_UNITS[len(text)])


def _moved(at: Time, years: int, months: int, days: int) -> Time:
    """A date that does not exist runs over into the next month, as in Go."""
    local = at.local
    month = local.year * 12 + local.month - 1 + months + years * 12
    try:
        first = datetime(month // 12, month % 12 + 1, 1, tzinfo=at.zone)
    except (ValueError, OverflowError):
        return go_time.ZERO
    shift = (first - local.replace(day=1, hour=0, minute=0, second=0)).days
    return Time(at.ns + (shift + days) * 86400 * SECOND, at.zone)


# Methods of what functions give: the value comes before the arguments.
_TIME: Mapping[str, Function] = {
    "Year": Function(lambda at: at.local.year),
    "Month": Function(lambda at: at.month),
    "Day": Function(lambda at: at.local.day),
    "Hour": Function(lambda at: at.local.hour),
    "Minute": Function(lambda at: at.local.minute),
    "Second": Function(lambda at: at.local.second),
    "Nanosecond": Function(lambda at: at.ns % SECOND),
    "Weekday": Function(lambda at: at.weekday),
    "YearDay": Function(lambda at: at.local.timetuple().tm_yday),
    "Unix": Function(lambda at: Int64(at.ns // SECOND)),
    "UnixMilli": Function(lambda at: Int64(at.ns // 10**6)),
    "UnixMicro": Function(lambda at: Int64(at.ns // 1000)),
    "UnixNano": Function(lambda at: int64(at.ns)),
    "UTC": Function(lambda at: Time(at.ns)),
    "Local": Function(lambda at: Time(at.ns)),
    "IsZero": Function(lambda at: at.ns == go_time.ZERO.ns),
    "String": Function(str),
    "Format": Function(lambda at, layout: at.format(layout), ("string",)),
    "Add": Function(lambda at, by: Time(at.ns + by, at.zone), ("time.Duration",)),
    "AddDate": Function(_moved, ("int", "int", "int")),
    "Sub": Function(lambda at, other: Duration(at.ns - other.ns), ("time.Time",)),
    "Before": Function(lambda at, other: at.ns < other.ns, ("time.Time",)),
    "After": Function(lambda at, other: at.ns > other.ns, ("time.Time",)),
    "Equal": Function(lambda at, other: at.ns == other.ns, ("time.Time",)),
    "Truncate": Function(
        lambda at, step: Time(at.ns - (at.ns - go_time.ZERO.ns) % step, at.zone) if step > 0 else at,
        ("time.Duration",),
    ),
}
_DURATION: Mapping[str, Function] = {
    "Hours": Function(lambda value: value / (3600 * SECOND)),
    "Minutes": Function(lambda value: value / (60 * SECOND)),
    "Seconds": Function(lambda value: value / SECOND),
    "Milliseconds": Function(lambda value: Int64(int(value / 10**6))),
    "Microseconds": Function(lambda value: Int64(int(value / 1000))),
    "Nanoseconds": Function(lambda value: Int64(value)),
    "String": Function(str),
}
METHODS: Mapping[str, Mapping[str, Function]] = {
    "time.Time": _TIME,
    "time.Duration": _DURATION,
    "time.Month": {"String": Function(str)},
    "time.Weekday": {"String": Function(str)},
}
