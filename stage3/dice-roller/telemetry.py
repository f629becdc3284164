"""Traces, logs and profiles of one service, configured by OpenTelemetry's standard environment variables."""

import json
import logging
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyroscope
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from prometheus_client import Counter
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

WIRE = os.getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.getenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
if WIRE == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
elif WIRE == "http/protobuf":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
else:
    raise SystemExit(f"OTEL_EXPORTER_OTLP_PROTOCOL must be grpc or http/protobuf, not {WIRE!r}")
PYROSCOPE = os.getenv("PYROSCOPE_SERVER_ADDRESS", "")
if PYROSCOPE and not PYROSCOPE.startswith(("http://", "https://")):
    raise SystemExit(f"PYROSCOPE_SERVER_ADDRESS must be like http://pyroscope:4040, not {PYROSCOPE!r}")

QUEUE_SIZE = 4096
EXPORT_EVERY_MILLISECONDS = 1000
FLUSH_SECONDS = 3
SPANS_DROPPED = Counter("telemetry_spans_dropped", "Spans that never reached the backend.", ["reason"])

os.environ.setdefault("OTEL_SERVICE_NAME", Path(__file__).parent.name)
os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
RESOURCE = Resource.create({"service.instance.id": f"{socket.gethostname()}-{os.getpid()}"})
SERVICE = str(RESOURCE.attributes["service.name"])
STAGE = str(RESOURCE.attributes.get("service.version", "unknown"))
PROVIDER = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
logger = logging.getLogger("telemetry")


class JsonFormatter(OrjsonFormatter):
    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data |= {"timestamp": at, "level": record.levelname.lower(), "logger": record.name}
        log_data |= {"message": record.message, "service": SERVICE}
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            log_data |= {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
        super().add_fields(log_data, record, message)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        try:
            return super().jsonify_log_record(log_data)
        except TypeError:
            return json.dumps(log_data, default=str)


class CountingExporter(OTLPSpanExporter):
    """Counts the spans the backend does not take, and logs the change instead of every failure."""

    def __init__(self, room: threading.Semaphore) -> None:
        super().__init__()
        self.room, self.last = room, SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result, error = super().export(spans), ""
        except Exception as raised:  # whatever it was: the room below has to be given back
            result, error = SpanExportResult.FAILURE, repr(raised)
        self.room.release(len(spans))
        if result is SpanExportResult.FAILURE:
            SPANS_DROPPED.labels("export_failed").inc(len(spans))
        if result is not self.last:
            logger.warning("span export: %s", result.name.lower(), extra={"error": error, "to": self._endpoint})
        self.last = result
        return result


class SpanQueue(BatchSpanProcessor):
    """Exports in the background and never waits: a span that finds no room is dropped and counted."""

    def __init__(self) -> None:
        self.room = threading.Semaphore(QUEUE_SIZE)
        super().__init__(CountingExporter(self.room), QUEUE_SIZE, EXPORT_EVERY_MILLISECONDS)

    def on_end(self, span: ReadableSpan) -> None:
        if self.room.acquire(blocking=False):
            super().on_end(span)
        else:
            SPANS_DROPPED.labels("queue_full").inc()


def configure_logging() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter([], reserved_attrs=[*RESERVED_ATTRS, "color_message"]))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for library in list(logging.root.manager.loggerDict.values()):
        if isinstance(library, logging.Logger) and library.handlers:
            library.handlers, library.propagate = [], True
    for name in ("httpx", "opentelemetry.exporter"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def exemplar() -> dict[str, str] | None:
    span = trace.get_current_span().get_span_context()
    return {"trace_id": f"{span.trace_id:032x}"} if span.trace_flags.sampled else None


@asynccontextmanager
async def exporting() -> AsyncIterator[None]:
    """Sends spans and profiles while the service runs; at its end whatever is left, for at most FLUSH_SECONDS."""
    PROVIDER.add_span_processor(queue := SpanQueue())
    flushers = [threading.Thread(target=queue.shutdown, daemon=True)]
    if PYROSCOPE:
        tags = {"stage": STAGE}
        pyroscope.configure(application_name=SERVICE, server_address=PYROSCOPE, tags=tags, upload_interval=5)
        flushers.append(threading.Thread(target=pyroscope.shutdown, daemon=True))
    yield
    for flusher in flushers:
        flusher.start()
    for flusher in flushers:
        flusher.join(FLUSH_SECONDS / len(flushers))


configure_logging()
trace.set_tracer_provider(PROVIDER)
