"""The dice, as die-service knows them: asked for each roll, over one client that keeps its connections."""

import asyncio
import os
import re
import time
from typing import Annotated

import httpx
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from pydantic import BaseModel, Field

import metrics
from admission import Line
from telemetry.tracing import exemplar
from transport import WholeAnswer


class Die(BaseModel):
    identifier: str
    faces: list[Annotated[int, Field(ge=0, le=1_000_000)]] = Field(min_length=1, max_length=1000)
    error_rate: float = Field(ge=0, le=1)
    shakes: int = Field(ge=0, le=1000)


class NoDieError(Exception):
    """There is no die to roll; `status` is the HTTP status that says whose fault it is."""

    def __init__(self, status: int, result: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.result = status, result


def url_from_environment() -> str:
    url = os.getenv("DIE_SERVICE_URL", "http://127.0.0.1:8002")
    if re.fullmatch(r"https?://([\w.-]+|\[[\da-f:]+\])(:\d+)?/?", url):
        return url
    raise SystemExit(f"dice-roller: DIE_SERVICE_URL must be like http://die-service:8002, not {url!r}")


def client_for(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    whole = WholeAnswer("die-service", ANSWER_SECONDS, transport)
    times = httpx.Timeout(ANSWER_SECONDS, connect=1)
    return httpx.AsyncClient(base_url=url_from_environment(), transport=whole, timeout=times)


ANSWER_SECONDS = 2
# httpx asks every connection for every call that waits in its pool, whenever one begins or ends: with 400 waiting,
# the event loop stands still for seconds. Here a place in line costs nothing, and the line is short.
calls = Line("calls of die-service", at_once=10, waiting=390, seconds=1.5)
client = client_for(httpx.AsyncHTTPTransport())
probe: asyncio.Task[bool] | None = None
NONSENSE = "die-service gave an answer that makes no sense."
seen: set[str] = set()


async def find(identifier: str) -> Die:
    async with calls.turn():
        return await ask(identifier)


async def ask(identifier: str) -> Die:
    """Takes a request's time and fate into the metrics whatever becomes of it."""
    started, status = time.perf_counter(), "error"
    try:
        response = await client.get(f"/dice/{identifier}")
        status = str(response.status_code)
        return understood(identifier, response)
    except httpx.TimeoutException as error:
        status = "timeout"
        raise NoDieError(504, "unavailable", "die-service did not answer in time.") from error
    except httpx.TransportError as error:
        status = "unreachable"
        raise NoDieError(503, "unavailable", "die-service cannot be reached.") from error
    except httpx.RequestError as error:
        raise NoDieError(503, "unavailable", NONSENSE) from error
    except asyncio.CancelledError:
        status = "cancelled"
        raise
    finally:
        metrics.DIE_SERVICE_DURATION.observe(time.perf_counter() - started, exemplar())
        metrics.DIE_SERVICE_REQUESTS.labels(identifier if identifier in seen else "unknown", status).inc()


def understood(identifier: str, response: httpx.Response) -> Die:
    try:
        if response.status_code == 404:
            raise NoDieError(404, "not_found", str(response.json()["detail"]))
        if response.status_code == 200:
            die = Die.model_validate_json(response.content)
            if die.identifier != identifier:
                raise ValueError(f"asked for {identifier}, got {die.identifier}")
            seen.add(identifier)
            return die
    except (KeyError, TypeError, ValueError) as error:
        raise NoDieError(503, "unavailable", NONSENSE) from error
    raise NoDieError(503, "unavailable", f"die-service answered {response.status_code}.")


async def reachable() -> bool:
    """Those who ask at the same time share one answer: they do not stand in line, and must not make one."""
    global probe
    if probe is None or probe.done():
        probe = asyncio.create_task(healthy())
    return await asyncio.shield(probe)


async def healthy() -> bool:
    try:
        with suppress_http_instrumentation():
            return (await client.get("/healthz")).status_code == 200
    except httpx.RequestError:
        return False
