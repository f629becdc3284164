"""Sending that never hurts the service. Hardening: with the SDK's own BatchSpanProcessor spans arrive as well."""

import logging
import os
import threading
from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import Counter

QUEUE_SIZE = 4096
EXPORT_EVERY_MILLISECONDS = 1000
FLUSH_SECONDS = 3  # for spans and profiles together
SPANS_DROPPED = Counter("telemetry_spans_dropped", "Spans that never reached the backend.", ["reason"])
logger = logging.getLogger("telemetry")


def otlp_exporter() -> type[SpanExporter]:
    """The one for the protocol that the environment names; of two libraries, the other is not imported."""
    default = os.getenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    protocol = os.getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or default
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc

        return grpc.OTLPSpanExporter
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http import trace_exporter as http

        return http.OTLPSpanExporter
    raise SystemExit(f"OTEL_EXPORTER_OTLP_PROTOCOL must be grpc or http/protobuf, not {protocol!r}")


class SpanQueue(BatchSpanProcessor):
    """Exports in the background and never waits: a span that finds no room is dropped and counted."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.room = threading.Semaphore(QUEUE_SIZE)
        super().__init__(CountingExporter(exporter, self.room), QUEUE_SIZE, EXPORT_EVERY_MILLISECONDS)

    def on_end(self, span: ReadableSpan) -> None:
        if self.room.acquire(blocking=False):
            super().on_end(span)
        else:
            SPANS_DROPPED.labels("queue_full").inc()


class CountingExporter(SpanExporter):
    """Counts the spans the backend does not take, and logs the change instead of every failure."""

    def __init__(self, exporter: SpanExporter, room: threading.Semaphore) -> None:
        self.exporter, self.room, self.last = exporter, room, SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result, error = self.exporter.export(spans), ""
        except Exception as raised:  # whatever it was: the room below has to be given back
            result, error = SpanExportResult.FAILURE, repr(raised)
        self.room.release(len(spans))
        if result is SpanExportResult.FAILURE:
            SPANS_DROPPED.labels("export_failed").inc(len(spans))
        if result is not self.last:
            logger.warning("span export: %s", result.name.lower(), extra={"error": error, "to": endpoint()})
        self.last = result
        return result

    def shutdown(self) -> None:
        self.exporter.shutdown()


def endpoint() -> str:
    every_signal = os.getenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost")
    return os.getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", every_signal)


def finish(shutdown: Callable[[], object]) -> None:
    """Lets a shutdown send what is left, but not for long: Docker kills after ten seconds."""
    flusher = threading.Thread(target=shutdown, daemon=True)
    flusher.start()
    flusher.join(FLUSH_SECONDS / 2)
