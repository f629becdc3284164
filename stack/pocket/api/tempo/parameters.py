"""Tempo's request parameters (pkg/api/http.go). Raises BadRequest with Tempo's text; times are in ns."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from pocket.api.form import BadRequest, Form
from pocket.api.times import HOUR, MINUTE, SECOND, Range
from pocket.query.durations import go_duration_ns
from pocket.query.logql import logfmt

DAY = 24 * HOUR
MAX_LIMIT = 10_000
_NOT_HEX = re.compile("[^0-9a-fA-F]")
_STEPS = (HOUR, 5 * MINUTE, MINUTE, 15 * SECOND, 5 * SECOND, SECOND)


@dataclass(frozen=True, slots=True)
class Search:
    query: str
    tags: dict[str, str]
    start_ns: int
    end_ns: int
    limit: int
    spans_per_set: int  # 0: the default
    min_duration_ns: int
    max_duration_ns: int


def trace_id(text: str) -> str:
    """32 lower-case hex digits; shorter ids are padded with zeros on the left."""
    odd = _NOT_HEX.search(text)
    if odd:
        where = f"invalid character {odd[0]!r} at position {odd.start() + 1}"
        raise BadRequest(f"trace IDs can only contain hex characters: {where}")
    if len(text) > 32:
        raise BadRequest("trace IDs can't be larger than 128 bits")
    return text.lower().zfill(32)


def search(form: Form) -> Search:
    """Raises BadRequest, as all here, for what Tempo refuses."""
    start, end = _unsigned(form, "start", 0), _unsigned(form, "end", 0)
    tags = _tags(form)
    limit = _unsigned(form, "limit", 20)
    if form.get("limit") and limit == 0:
        raise BadRequest("invalid limit: must be a positive number")
    minimum, maximum = _duration(form, "minDuration"), _duration(form, "maxDuration")
    if minimum and form.get("maxDuration") and minimum > maximum:
        raise BadRequest("invalid maxDuration: must be greater than minDuration")
    if (start or end) and end <= start:
        raise BadRequest(f"http parameter start must be before end. received start={start} end={end}")
    span = _seconds_range(start, end)
    return Search(
        form.get("q"), tags, span.start_ns, span.end_ns, min(limit, MAX_LIMIT), _unsigned(form, "spss", 3),
        minimum, maximum,
    )  # fmt: skip


def seconds_range(form: Form) -> Range:
    """`start` and `end` in seconds; without them everything that is kept."""
    return _seconds_range(_unsigned(form, "start", 0), _unsigned(form, "end", 0))


def _seconds_range(start: int, end: int) -> Range:
    return Range(start * SECOND, end * SECOND if end else time.time_ns() + DAY)


def _unsigned(form: Form, name: str, default: int) -> int:
    text = form.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        raise BadRequest(f'invalid {name}: strconv.ParseUint: parsing "{text}": invalid syntax')
    if len(text) > 4000 or int(text) >= 2**32:  # Python refuses to read more than 4300 digits
        raise BadRequest(f'invalid {name}: strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def _duration(form: Form, name: str) -> int:
    try:
        return go_duration_ns(form.get(name)) if form.get(name) else 0
    except ValueError as error:
        raise BadRequest(f"invalid {name}: {error}") from None


def _tags(form: Form) -> dict[str, str]:
    """Legacy tags in logfmt: `service.name=frontend error=true`."""
    text, faults = form.get("tags"), list[str]()
    if text and form.get("q"):
        raise BadRequest("invalid request: can't specify tags and q in the same query")
    tags: dict[str, str] = {}
    for key, value in logfmt.pairs(text, faults):
        if key in tags:
            raise BadRequest(f"invalid tags: tag {key} has been set twice")
        tags[key] = value
    if faults:
        position, _, reason = faults[0].removeprefix("logfmt syntax error at pos ").partition(" : ")
        raise BadRequest(f"invalid tags: {reason} at pos {position}")
    return tags


def step_ns(form: Form, span: Range) -> int:
    """A number is in seconds; about 240 points where it is absent. 0 is left to the engine to refuse."""
    text = form.get("step")
    if not text:
        return _default_step(span.end_ns - span.start_ns)
    try:
        seconds = float(text)
        step = int(seconds * SECOND) if abs(seconds) < 9e9 else 0
    except ValueError:
        step = _go_step(text)
    if step < 0:
        raise BadRequest(f'cannot parse "{text}": step must be positive')
    return step


def _go_step(text: str) -> int:
    try:
        return go_duration_ns(text)
    except ValueError:
        raise BadRequest(f'cannot parse "{text}" to a valid duration') from None


def _default_step(delta_ns: int) -> int:
    """About 240 points, at a round number (DefaultQueryRangeStep)."""
    baseline = delta_ns // 240
    if delta_ns < MINUTE:
        fine = SECOND // 20
        return max(baseline // fine * fine, fine)
    return next((baseline // step * step for step in _STEPS if baseline > step), SECOND)
