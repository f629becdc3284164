"""dice-roller: rolls a die, slowly, and sometimes fails."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from pydantic import BaseModel

import dice
import metrics
from admission import RETRY, OverloadedError, Paced
from batch import CallerGoneError, throw_all_for
from hosts import AllowedHosts
from rolling import RollError, throw
from telemetry import exposition, logs, profiling, red, tracing
from telemetry.service import Service

logger = logging.getLogger("dice-roller")
service = Service.from_environment("dice-roller")
logs.configure(service)
provider = tracing.configure(service)
profile = profiling.configure(service)
exposition.configure(service)
HTTPXClientInstrumentor.instrument_client(dice.client)


class Roll(BaseModel):
    die: str
    roll: int


class Rolls(BaseModel):
    die: str
    times: int
    rolls: list[int]
    total: int
    failed: int


class Problem(BaseModel):
    detail: str


Identifier = Annotated[str, Query(pattern="^[a-z0-9-]{1,32}$")]
PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (404, 500, 503, 504)}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with tracing.exporting(provider), profiling.running(profile):
        async with dice.client:
            yield


app = FastAPI(title=service.name, version=service.version, lifespan=lifespan, telemetry=tracing.NATIVE_OFF)
tracing.instrument(app)
red.instrument(app)
app.add_route("/metrics", exposition.metrics)
app.add_middleware(Paced)
app.add_middleware(AllowedHosts)


@app.exception_handler(OverloadedError)
async def overloaded(request: Request, error: OverloadedError) -> JSONResponse:
    reason = {"exception.type": "OverloadedError", "exception.message": str(error)}
    trace.get_current_span().add_event("exception", reason)  # without a traceback, which costs more than the rest
    logger.warning("refused", extra={"reason": str(error)})
    return JSONResponse({"detail": str(error)}, 503, RETRY)


async def find(identifier: str) -> dice.Die:
    try:
        return await dice.find(identifier)
    except dice.NoDieError as error:
        metrics.ROLLS.labels("unknown", error.result).inc()
        logger.warning("no die", extra={"die_asked": identifier, "reason": str(error)})
        raise HTTPException(error.status, str(error)) from error


@app.get("/roll", responses=PROBLEMS)
async def roll(die: Identifier) -> Roll:
    specification = await find(die)
    try:
        return Roll(die=die, roll=await throw(specification))
    except RollError as error:
        raise HTTPException(500, str(error)) from error


@app.get("/roll-async", responses=PROBLEMS)
async def roll_async(request: Request, die: Identifier, times: Annotated[int, Query(ge=1, le=100)]) -> Rolls:
    specification = await find(die)
    try:
        values = await throw_all_for(request, specification, times)
    except CallerGoneError as error:
        raise HTTPException(499, "The caller has gone.") from error
    rolls = [value for value in values if value is not None]
    if not rolls:
        raise HTTPException(500, f"All {times} rolls failed.")
    return Rolls(die=die, times=times, rolls=rolls, total=sum(rolls), failed=times - len(rolls))


@app.get("/")
async def root() -> dict[str, str | list[str]]:
    endpoints = ["/roll?die=fair", "/roll-async?die=fair&times=5", "/healthz", "/metrics"]
    return {"name": service.name, "stage": service.version, "endpoints": endpoints}


@app.get("/healthz", responses={503: {"model": Problem}})
async def healthz() -> dict[str, str]:
    if not await dice.reachable():
        raise HTTPException(503, "die-service cannot be reached.")
    return {"status": "ok"}
