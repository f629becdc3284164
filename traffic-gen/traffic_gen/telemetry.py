"""The generator starts the traces: its CLIENT spans are the first edge of the service graph."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from traffic_gen.settings import base_url

FLUSH_SECONDS = 2.0  # a backend that is not there must not keep the summary waiting


@contextmanager
def tracing() -> Iterator[None]:
    """Traces all httpx clients; at the end sends what is left, for at most FLUSH_SECONDS."""
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    os.environ["OTEL_SERVICE_NAME"] = "traffic-gen"
    endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
    os.environ[endpoint] = base_url(endpoint, 4318)
    os.environ.pop("OTEL_EXPORTER_OTLP_PROTOCOL", None)
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider = TracerProvider(resource=Resource.create(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)
    HTTPXClientInstrumentor().instrument()
    try:
        yield
    finally:
        flush = threading.Thread(target=provider.shutdown, daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)
