"""Usage events as the frontend logs them, and the OTLP around them as Alloy makes it."""

import uuid
from typing import Any

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord


def line(**fields: Any) -> dict[str, Any]:
    """A usage line with an id of its own; a field set to None is left out."""
    standard = {
        "timestamp": "2026-01-02T03:04:05.678+00:00", "level": "info", "logger": "frontend", "message": "usage",
        "service": "streamlit-frontend", "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "usage": True, "event_id": str(uuid.uuid4()), "event": "roll", "user": "Ada", "die_type": "fair",
    }  # fmt: skip
    return {name: value for name, value in (standard | fields).items() if value is not None}


def record(body: dict[str, Any] | str, **fields: Any) -> LogRecord:
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    return LogRecord(body=AnyValue(string_value=text), **fields)


def request(*bodies: dict[str, Any] | str) -> ExportLogsServiceRequest:
    """One record a resource, so that all of them have to be looked at."""
    message = ExportLogsServiceRequest()
    for body in bodies:
        message.resource_logs.add().scope_logs.add().log_records.append(record(body))
    return message
