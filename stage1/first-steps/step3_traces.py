"""+ traces: a span for each request, and its trace id in the log line."""

import asyncio
import logging
import random
import sys

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import Counter, make_asgi_app
from pythonjsonlogger.json import JsonFormatter

ROLLS = Counter("dice_rolls", "Rolls by what the die showed.", ["face"])
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonFormatter("{levelname}{message}", style="{", rename_fields={"levelname": "level"}))
logging.basicConfig(level=logging.INFO, handlers=[handler])
trace.set_tracer_provider(provider := TracerProvider())
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

app = FastAPI()
app.mount("/metrics", make_asgi_app())
FastAPIInstrumentor.instrument_app(app, excluded_urls="/metrics", exclude_spans=["receive", "send"])


@app.get("/roll")
async def roll() -> dict[str, int]:
    await asyncio.sleep(random.uniform(0, 1))
    value = random.randint(1, 6)
    ROLLS.labels(value).inc()
    trace_id = format(trace.get_current_span().get_span_context().trace_id, "032x")
    logging.info("rolled", extra={"roll_value": value, "trace_id": trace_id})
    return {"roll": value}
