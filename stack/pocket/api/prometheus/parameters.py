"""Parameters of Prometheus' API: times, durations, limits (web/api/v1/api.go: parseTime, parseDuration)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from pocket.api.form import Form
from pocket.query.durations import prometheus_duration_ns
from pocket.query.promql import QueryError
from pocket.query.quoting import quoted

FAR_MS = 1 << 53  # stands for Prometheus' MinTime and MaxTime; float64 milliseconds are exact up to here
GO_FLOAT = re.compile(r"(?a)[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)")
RFC3339 = re.compile(r"(?a)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


class InvalidParameterError(QueryError):
    """A 400 that names the parameter, as invalidParamError does."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__("bad_data", f'invalid parameter "{name}": {reason}')


@contextmanager
def naming(name: str) -> Iterator[None]:
    """What is wrong with a text that is read within is told with the parameter's name."""
    try:
        yield
    except QueryError as failure:
        if failure.kind != "bad_data":
            raise
        raise InvalidParameterError(name, failure.message) from failure


def time_ms(form: Form, name: str, default: int | None = None) -> int:
    """A Unix time in seconds or RFC 3339 → ms. Without a default the parameter must be given."""
    text = form.get(name)
    if not text and default is not None:
        return default
    try:
        return _time(text)
    except ValueError as wrong:
        # A parameter that may be left out says so a second time (parseTimeParam).
        prefix = f"invalid time value for '{name}': " if default is not None else ""
        reason = f"{prefix}cannot parse {quoted(text)} to a valid timestamp"
        raise InvalidParameterError(name, reason) from wrong


def span_ms(form: Form) -> tuple[int, int]:
    """`start` and `end`, each unbounded if it is absent."""
    return time_ms(form, "start", -FAR_MS), time_ms(form, "end", FAR_MS)


def _time(text: str) -> int:
    if GO_FLOAT.fullmatch(text):
        seconds = float(text)
        fraction, whole = math.modf(seconds) if math.isfinite(seconds) else (0.0, math.copysign(FAR_MS, seconds))
        return _clamped(whole * 1000 + round(fraction * 1000))
    if match := RFC3339.fullmatch(text):
        moment = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
        return _clamped(round(moment.timestamp() * 1000) + int(float(match[2] or 0) * 1000 + 1e-6))
    raise ValueError(text)


def _clamped(ms: float) -> int:
    return int(max(-FAR_MS, min(FAR_MS, ms)))


def duration_ms(form: Form, name: str) -> int:
    """`15`, `0.5` (seconds) or `1m30s` → ms."""
    text = form.get(name)
    if GO_FLOAT.fullmatch(text):
        ms = float(text) * 1000
        if abs(ms) > 2**63 / 1e6:
            raise InvalidParameterError(
                name, f"cannot parse {quoted(text)} to a valid duration. It overflows int64"
            )
        return int(ms)
    try:
        return prometheus_duration_ns(text) // 10**6
    except ValueError:
        raise InvalidParameterError(name, f"cannot parse {quoted(text)} to a valid duration") from None


def limit(form: Form, name: str = "limit") -> int:
    """0 means no limit."""
    text = form.get(name)
    if not re.fullmatch(r"(?a)[+-]?\d{0,18}", text) or text in ("+", "-"):
        raise InvalidParameterError(name, f"strconv.Atoi: parsing {quoted(text)}: invalid syntax")
    if text and int(text) < 0:
        raise InvalidParameterError(name, "limit must be non-negative")
    return int(text or 0)


def number(form: Form, name: str) -> int | None:
    """A plain integer of the metadata endpoint, None if absent."""
    text = form.get(name)
    if not text:
        return None
    if not re.fullmatch(r"(?a)[+-]?\d{1,18}", text):
        raise QueryError("bad_data", f"{name} must be a number")
    return int(text)


def label_name(escaped: str) -> str:
    """A label name of a path: `U__a_2e_b` is `a.b` (model.UnescapeName). Raises QueryError if it is none."""
    name = escaped
    if escaped.startswith("U__"):
        name = re.sub(r"__|_([0-9a-fA-F]{1,6})_", _unescaped, escaped.removeprefix("U__"))
    if not name:
        raise QueryError("bad_data", f"invalid label name: {quoted(name)}")
    return name


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1], 16) if match[1] else ord("_")
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else match[0]
