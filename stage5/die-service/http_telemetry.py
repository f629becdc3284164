"""Server spans and RED metrics of a FastAPI app, and its /metrics."""

from fastapi import FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from prometheus_client import REGISTRY, Counter, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_fastapi_instrumentator import PrometheusFastApiInstrumentator
from prometheus_fastapi_instrumentator.metrics import Info

from telemetry import exemplar

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5)
REQUESTS = Counter("http_requests", "HTTP requests.", ["method", "status", "handler"])
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time to answer an HTTP request.",
    ["method", "handler"],
    buckets=LATENCY_BUCKETS,
)
NATIVE_OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


def observe(info: Info) -> None:
    method = info.method if info.method in METHODS else "other"
    REQUESTS.labels(method, info.modified_status, info.modified_handler).inc()
    DURATION.labels(method, info.modified_handler).observe(info.modified_duration, exemplar())


async def metrics(request: Request) -> Response:
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), headers={"content-type": content_type})


def instrument(app: FastAPI) -> None:
    disable_created_metrics()
    FastAPIInstrumentor.instrument_app(app, excluded_urls="/metrics$,/healthz$", exclude_spans=["receive", "send"])
    red = PrometheusFastApiInstrumentator(
        should_group_status_codes=False, excluded_handlers=["^/metrics$", "^/healthz$"]
    )
    red.add(observe).instrument(app)
    app.get("/metrics", include_in_schema=False)(metrics)
