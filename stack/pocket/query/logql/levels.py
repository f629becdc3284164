"""`detected_level`, which Loki's distributor adds to every line's structured metadata.

Source: pkg/distributor/field_detection.go. Added when a line is read, not stored, so that stored lines are what
was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from pocket.query.logql import logfmt
from pocket.rows import LogEntry

LABEL = "detected_level"
# validation.DefaultAllowedLevelFields
_FIELDS = (
    "level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText", "lvl", "LVL",
    "Lvl", "severity_text", "Severity_Text", "SEVERITY_TEXT",
)  # fmt: skip
_KNOWN = {
    "trace": "trace", "trc": "trace", "debug": "debug", "dbg": "debug", "info": "info", "inf": "info",
    "information": "info", "warn": "warn", "wrn": "warn", "warning": "warn", "error": "error", "err": "error",
    "critical": "critical", "fatal": "fatal",
}  # fmt: skip
_WORD = re.compile(
    r"(?:^|(?<=[ \t\n\[({\"'=|]))"
    r"(trace|debug|fatal|critical|error|err|warning|warn|info)"
    r"(?=$|[ \t\n\[\](){}:,!\"'=|])"
)
_BY_NUMBER = ((4, "trace"), (8, "debug"), (12, "info"), (16, "warn"), (20, "error"), (24, "fatal"))


def with_level(entry: LogEntry) -> LogEntry:
    """The entry with `detected_level` among its structured metadata."""
    present = entry.structured_metadata.get(LABEL)
    if present is None:
        level = _level(entry)
    else:
        level = _normalized(present)
        if level == present:
            return entry
    metadata = {**entry.structured_metadata, LABEL: level}
    return LogEntry(entry.labels, entry.t_ns, entry.line, metadata)


def _level(entry: LogEntry) -> str:
    found = _first(entry.labels) or _first(entry.structured_metadata)
    if found:
        return _normalized(found)
    number = entry.structured_metadata.get("severity_number")
    return _by_number(number) if number else _from_line(entry.line)


def _first(labels: Mapping[str, str]) -> str | None:
    return next((labels[name] for name in _FIELDS if name in labels), None)


def _normalized(level: str) -> str:
    return _KNOWN.get(level.lower(), level)


def _by_number(text: str) -> str:
    if not text.isdigit():
        return "info"
    number = int(text)
    return "unknown" if number == 0 else next((level for top, level in _BY_NUMBER if number <= top), "unknown")


def _from_line(line: str) -> str:
    stripped = line.strip()
    if stripped.startswith("{") and stripped.endswith("}"):
        value = _from_json(stripped)
    elif "=" in line:
        value = _from_logfmt(line)
    else:
        value = None
    return _KNOWN.get((value or "").lower()) or _from_words(line)


def _from_json(line: str) -> str | None:
    try:
        return _search(orjson.loads(line), 2)
    except ValueError:  # which json may still take: control characters, half a surrogate pair
        return _leniently(line)


def _leniently(line: str) -> str | None:
    try:
        return _search(json.loads(line, strict=False), 2)  # log_level_from_json_max_depth
    except (ValueError, RecursionError):
        return None


def _search(document: Any, depth: int) -> str | None:
    for key, value in document.items() if depth else ():
        if isinstance(value, str) and key in _FIELDS:
            return value
        found = _search(value, depth - 1) if isinstance(value, dict) else None
        if found is not None:
            return found
    return None


def _from_logfmt(line: str) -> str | None:
    fields = [name.lower() for name in _FIELDS]
    found = {fields.index(key.lower()): value for key, value in logfmt.pairs(line, []) if key.lower() in fields}
    return found[min(found)] if found else None


def _from_words(line: str) -> str:
    found = _WORD.search(line.lower())
    return _KNOWN[found[1]] if found else "unknown"
