"""What a click does: ask the roller, in a span that the roller's spans become children of."""

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from opentelemetry.propagate import extract
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import SpanKind, StatusCode, get_tracer

import clients
import metrics
from dice import known
from telemetry.tracing import exemplar

logger = logging.getLogger("frontend")
tracer = get_tracer("frontend")

TRACE_URL_TEMPLATE = os.getenv("TRACE_URL_TEMPLATE", "http://localhost:3000/trace/TRACE_ID")

EXPECTED = {"/roll": {"die", "roll"}, "/roll-async": {"die", "times", "total", "failed"}}


@dataclass(frozen=True)
class Answer:
    """`status` is 503 or 504 also where the roller itself could not say so."""

    status: int
    body: dict[str, Any]
    trace_id: str

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def trace_url(self) -> str:
        return TRACE_URL_TEMPLATE.replace("TRACE_ID", self.trace_id)


def roll(die: str, caller: Mapping[str, str]) -> Answer:
    """`caller` may hold a traceparent: then the click belongs to the caller's trace."""
    return click(die, "/roll", {"die": die}, caller)


def roll_all(die: str, times: int, caller: Mapping[str, str]) -> Answer:
    return click(die, "/roll-async", {"die": die, "times": str(times)}, caller)


def click(die: str, path: str, parameters: Mapping[str, str], caller: Mapping[str, str]) -> Answer:
    with tracer.start_as_current_span("roll button", extract(caller), SpanKind.SERVER) as span:
        die_type = die if die in known else "unknown"
        span.set_attributes({"dice.die_type": die_type, "dice.batch_size": int(parameters.get("times", 1))})
        metrics.CLICKS.labels(die_type).inc()
        status, body = timed(path, parameters, die_type)
        if status >= 500:
            span.set_status(StatusCode.ERROR, str(body["detail"]))
            span.set_attribute(ERROR_TYPE, str(status))
        logger.info("roll button", extra={"die_type": die_type, "status": status})
        return Answer(status, body, f"{span.get_span_context().trace_id:032x}")


def timed(path: str, parameters: Mapping[str, str], die_type: str) -> tuple[int, dict[str, Any]]:
    started, status = time.perf_counter(), 500
    try:
        status, body = ask(path, parameters)
        return status, body
    finally:
        metrics.DURATION.labels(die_type).observe(time.perf_counter() - started, exemplar())
        metrics.REQUESTS.labels(die_type, status).inc()


def ask(path: str, parameters: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    try:
        response = clients.roller.get(path, params=parameters)
        return response.status_code, understood(response, EXPECTED[path])
    except httpx.PoolTimeout:
        return 503, {"detail": "Too many rolls at once. Try again in a second."}
    except httpx.TimeoutException:
        return 504, {"detail": "The roller did not answer in time."}
    except httpx.TransportError as error:
        logger.error("roller unreachable", extra={"error": str(error)})
        return 503, {"detail": "The roller cannot be reached."}
    except (httpx.DecodingError, ValueError) as error:
        logger.error("roller not understood", extra={"error": str(error)})
        return 503, {"detail": "The roller gave an answer that makes no sense."}


def understood(response: httpx.Response, fields: set[str]) -> dict[str, Any]:
    """The body, an object that has what the page shows of it. ValueError if it is anything else."""
    body = response.json()
    fields = {"detail"} if response.status_code != 200 else fields
    if not isinstance(body, dict) or not fields <= body.keys():
        raise ValueError(f"a {response.status_code} without {', '.join(sorted(fields))}")
    return body
