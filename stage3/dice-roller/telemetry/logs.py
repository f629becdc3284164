"""Log lines: one JSON object each on standard output, with the ids of the span they were written in."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

from telemetry.service import Service


class JsonFormatter(OrjsonFormatter):
    def __init__(self, service: Service) -> None:
        super().__init__([], reserved_attrs=[*RESERVED_ATTRS, "color_message"])
        self.identity = {"service": service.name, "service_instance_id": service.instance}

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data |= {"timestamp": at, "level": record.levelname.lower(), "logger": record.name}
        log_data |= {"message": record.message} | self.identity
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            log_data |= {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
        super().add_fields(log_data, record, message)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        try:
            return super().jsonify_log_record(log_data)
        except TypeError:  # orjson is fast and strict
            return json.dumps(log_data, default=str)


def configure(service: Service) -> None:
    """Everything that logs writes such lines, libraries and warnings included."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for library in list(logging.root.manager.loggerDict.values()):
        if isinstance(library, logging.Logger) and library.handlers:
            library.handlers, library.propagate = [], True
    for name in ("httpx", "opentelemetry.exporter"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
