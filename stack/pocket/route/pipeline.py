"""The log pipeline of stack/alloy/config.alloy: a container's raw line to an entry with labels and ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from pocket.admission.bounds import Bounds
from pocket.rows import LogEntry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IDS = ("trace_id", "span_id")
_MAX_LABEL = 200  # a label value longer than this comes from no logger; it would make a stream a line


def process(entry: LogEntry, bounds: Bounds) -> tuple[LogEntry, dict[str, Any]]:
    """The entry as it is stored, and the line's fields ({} if it is no JSON object).

    Labels are `service_name`, `container_name`, `level`; `trace_id` and `span_id` are structured metadata; the
    time is the line's own `timestamp` where that is one, else that of arrival. The line stays as it is.
    """
    fields = _fields(entry.line)
    given = entry.labels
    labels = {
        "service_name": _label(fields.get("service")) or given.get("compose_service", "unknown_service"),
        "container_name": given.get("container_name", ""),
        "level": _label(fields.get("level")) or "unknown",
    }
    metadata = {name: text for name in _IDS if isinstance(text := fields.get(name), str) and text}
    t_ns = timestamp(fields.get("timestamp"))
    if t_ns is None or not bounds.holds(t_ns):
        t_ns = entry.t_ns
    return LogEntry({k: v for k, v in labels.items() if v}, t_ns, entry.line, metadata), fields


def is_usage(fields: dict[str, Any]) -> bool:
    """As `loki.process "usage"` decides: a label is text, so it cannot tell `true` from `"true"`."""
    usage = fields.get("usage")
    return usage is True or usage == "true"


def timestamp(text: Any) -> int | None:
    """An RFC 3339 time in Unix nanoseconds, None if it is none."""
    if not isinstance(text, str):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        return None
    return (when - _EPOCH) // timedelta(microseconds=1) * 1000


def _fields(line: str) -> dict[str, Any]:
    if not line.lstrip(" \t\r\n").startswith("{"):
        return {}
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _label(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_LABEL else ""
