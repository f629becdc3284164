"""Spans: what makes them, when they are sent, and how a metric points at one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from telemetry.export import SpanQueue, finish, otlp_exporter
from telemetry.service import Service

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.telemetry import TelemetryConfig

# FastAPI 0.165 makes spans of its own; an older one ignores this.
NATIVE_OFF: "TelemetryConfig" = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


def configure(service: Service) -> TracerProvider:
    """Spans are made from here on, by the stable conventions. Call it before anything is instrumented."""
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    otlp_exporter()  # a protocol that makes no sense is refused now, and not when the first span is there
    provider = TracerProvider(resource=service.resource, shutdown_on_exit=False)
    trace.set_tracer_provider(provider)
    return provider


def instrument(app: "FastAPI") -> None:
    """One server span for each request."""
    # Imported here: a service without FastAPI, such as the frontend, has no such package.
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app, excluded_urls="/metrics$,/healthz$", exclude_spans=["receive", "send"])


@contextmanager
def exporting(provider: TracerProvider) -> Iterator[None]:
    """Sends spans while the service runs, and at its end what is left."""
    exporter = otlp_exporter()
    queue = SpanQueue(exporter())
    provider.add_span_processor(queue)
    yield
    finish(queue.shutdown)


def exemplar() -> dict[str, str] | None:
    """What a histogram keeps beside a value: the trace it was measured in."""
    span = trace.get_current_span().get_span_context()
    return {"trace_id": f"{span.trace_id:032x}"} if span.trace_flags.sampled else None
