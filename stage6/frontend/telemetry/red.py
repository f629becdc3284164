"""Rate, errors and duration of every route of a FastAPI app."""

from fastapi import FastAPI
from prometheus_client import Counter, Histogram
from prometheus_fastapi_instrumentator import PrometheusFastApiInstrumentator
from prometheus_fastapi_instrumentator.metrics import Info

from telemetry.tracing import exemplar

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5)
REQUESTS = Counter("http_requests", "HTTP requests.", ["method", "status", "handler"])
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time to answer an HTTP request.",
    ["method", "handler"],
    buckets=LATENCY_BUCKETS,
)


def observe(info: Info) -> None:
    method = info.method if info.method in METHODS else "other"
    REQUESTS.labels(method, info.modified_status, info.modified_handler).inc()
    DURATION.labels(method, info.modified_handler).observe(info.modified_duration, exemplar())


def instrument(app: FastAPI) -> None:
    red = PrometheusFastApiInstrumentator(
        should_group_status_codes=False, excluded_handlers=["^/metrics$", "^/healthz$"]
    )
    red.add(observe).instrument(app)
