"""Which log entries are taken: Loki's limits, in Loki's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import orjson

from pocket.admission.bounds import Bounds
from pocket.admission.limits import utf8_size, wrong_metadata
from pocket.rows import Labels, LogEntry

MAX_LINE = 256 << 10  # bytes; Loki's own limit (validation.Limits)

# Takes entries and returns when they are on disk, as the answer 204 promises; raises BodyError.
Sink = Callable[[list[LogEntry]], Awaitable[None]]


def check(entries: list[LogEntry], bounds: Bounds) -> tuple[list[LogEntry], str | None]:
    """The acceptable entries, and Loki's message about the first of the others (None if there are none)."""
    good: list[LogEntry] = []
    first: str | None = None
    for entry in entries:
        wrong = _too_long(entry) or _out_of_time(entry, bounds)
        if wrong is None:
            good.append(entry)
        elif first is None:
            first = wrong
    return good, first


def _too_long(entry: LogEntry) -> str | None:
    if (size := utf8_size([entry.line], MAX_LINE)) > MAX_LINE:
        return (
            f"max entry size '{MAX_LINE}' bytes exceeded for stream '{_shown(entry.labels)}' "
            f"while adding an entry with length '{size}' bytes"
        )
    if entry.structured_metadata and (wrong := wrong_metadata(entry.structured_metadata)):
        return f"entry for stream '{_shown(entry.labels)}' {wrong}"
    return None


def _out_of_time(entry: LogEntry, bounds: Bounds) -> str | None:
    if bounds.holds(entry.t_ns):
        return None
    when = f"entry for stream '{_shown(entry.labels)}' has timestamp too"
    if entry.t_ns > bounds.newest_ns:
        return f"{when} new: {_rfc3339(entry.t_ns)}"
    return f"{when} old: {_rfc3339(entry.t_ns)}, oldest acceptable timestamp is: {_rfc3339(bounds.oldest_ns)}"


def _rfc3339(t_ns: int) -> str:
    try:
        return datetime.fromtimestamp(t_ns // 10**9, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{t_ns} ns"


def _shown(labels: Labels) -> str:
    pairs = (f"{name}={orjson.dumps(value).decode()}" for name, value in sorted(labels.items()))
    return "{" + ", ".join(pairs) + "}"
