"""dice-roller: rolls a die, slowly, and sometimes fails."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel

import dice
import metrics
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


class Roll(BaseModel):
    die: str
    roll: int


class Problem(BaseModel):
    detail: str


Identifier = Annotated[str, Query(pattern="^[a-z0-9-]{1,32}$")]
PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (404, 500)}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with tracing.exporting(provider), profiling.running(profile):
        yield


app = FastAPI(title=service.name, version=service.version, lifespan=lifespan, telemetry=tracing.NATIVE_OFF)
tracing.instrument(app)
red.instrument(app)
app.add_route("/metrics", exposition.metrics)
app.add_middleware(AllowedHosts)


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


@app.get("/")
async def root() -> dict[str, str | list[str]]:
    endpoints = ["/roll?die=fair", "/healthz", "/metrics"]
    return {"name": service.name, "stage": service.version, "endpoints": endpoints}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}
