"""A usage event: what a log record has to hold to be one."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

KNOWN = {"sign_in", "sign_out", "roll"}
NO_ATTRIBUTES = {"timestamp", "level", "logger", "message"}
TIME = TypeAdapter(AwareDatetime)
# U+0000 as JSON escapes it (with an even number of backslashes before it). PostgreSQL cannot store it.
ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class NoEventError(ValueError):
    """The record can never be stored, and why."""


class Line(BaseModel):
    model_config = ConfigDict(extra="allow")

    usage: Literal[True]
    event_id: UUID
    event: Annotated[str, Field(min_length=1, max_length=64)]
    user: Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True)
class UsageEvent:
    """A row of usage_events; `attributes` is JSON."""

    event_id: UUID
    occurred_at: datetime
    event: str
    username: str
    attributes: str

    @property
    def label(self) -> str:
        """The event's name where it is a known one: a label's values must not come from outside."""
        return self.event if self.event in KNOWN else "unknown"


def usage_event(record: LogRecord) -> UsageEvent:
    """From a record whose body is the JSON log line, as Alloy's otelcol.receiver.loki makes it. NoEventError."""
    fields = log_line(record)
    try:
        line = Line.model_validate(fields)
    except ValidationError as error:
        wrong = [".".join(map(str, problem["loc"])) for problem in error.errors()]
        raise NoEventError(f"not a usage event: {', '.join(wrong)}") from error
    attributes = {name: value for name, value in (line.model_extra or {}).items() if name not in NO_ATTRIBUTES}
    return UsageEvent(line.event_id, time_of(fields, record), line.event, line.user, as_json(attributes))


def as_json(attributes: dict[str, Any]) -> str:
    try:
        return orjson.dumps(attributes).decode()
    except orjson.JSONEncodeError as error:
        raise NoEventError("the fields are nested too deeply") from error


def log_line(record: LogRecord) -> dict[str, Any]:
    try:
        fields = orjson.loads(ESCAPED_NUL.sub(r"\1\\ufffd", record.body.string_value))
    except orjson.JSONDecodeError as error:
        raise NoEventError("the body is not a JSON line") from error
    if not isinstance(fields, dict):
        raise NoEventError("the body is not a JSON object")
    return fields


def time_of(fields: dict[str, Any], record: LogRecord) -> datetime:
    """The line's own time, in UTC; where it has none, the record's; the time of arrival stands in for that."""
    try:
        return TIME.validate_python(fields.get("timestamp")).astimezone(UTC)
    except (ValidationError, OverflowError):  # year 1 east of Greenwich: the database would refuse it forever
        nanoseconds = record.time_unix_nano or record.observed_time_unix_nano
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC) if nanoseconds else datetime.now(UTC)
