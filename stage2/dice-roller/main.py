"""dice-roller: rolls a die, slowly, and sometimes fails."""

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from opentelemetry import trace
from pydantic import BaseModel

import metrics
import telemetry
from http_telemetry import NATIVE_OFF, instrument

logger = logging.getLogger("dice-roller")
tracer = trace.get_tracer("dice-roller")


class Die(BaseModel):
    identifier: str
    faces: list[int]
    error_rate: float = 0


class Roll(BaseModel):
    die: str
    roll: int


class Problem(BaseModel):
    detail: str


class RollError(Exception):
    """The die fell off the table."""


DICE = {
    "fair": Die(identifier="fair", faces=[1, 2, 3, 4, 5, 6]),
    "risky": Die(identifier="risky", faces=[2, 3, 4, 5, 6, 7], error_rate=0.1),
}


def delay_from_environment() -> float:
    text = os.getenv("ROLL_DELAY_MAX_SECONDS", "1")
    if text.replace(".", "", 1).isdecimal() and float(text) <= 60:
        return float(text)
    raise SystemExit(f"dice-roller: ROLL_DELAY_MAX_SECONDS must be between 0 and 60, not {text!r}")


DELAY_MAX_SECONDS = delay_from_environment()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with telemetry.exporting():
        yield


app = FastAPI(title=telemetry.SERVICE, version=telemetry.STAGE, lifespan=lifespan, telemetry=NATIVE_OFF)
instrument(app)


async def throw(die: Die) -> int:
    with tracer.start_as_current_span("roll die", attributes={"die.type": die.identifier}) as span:
        await asyncio.sleep(random.uniform(0, DELAY_MAX_SECONDS))
        if random.random() < die.error_rate:
            span.set_attribute("die.error", "fell off the table")
            raise RollError(f"The {die.identifier} die fell off the table.")
        value = random.choice(die.faces)
        span.set_attribute("die.result", value)
        return value


def find(identifier: str) -> Die:
    if identifier not in DICE:
        metrics.ROLLS.labels("unknown", "not_found").inc()
        logger.warning("unknown die", extra={"die_asked": identifier})
        raise HTTPException(404, f"There is no die {identifier!r}. There are: {', '.join(DICE)}.")
    return DICE[identifier]


@app.get("/roll", responses={404: {"model": Problem}, 500: {"model": Problem}})
async def roll(die: Annotated[str, Query(max_length=64)]) -> Roll:
    specification = find(die)
    try:
        value = await throw(specification)
    except RollError as failure:
        metrics.ROLLS.labels(die, "failure").inc()
        logger.error("roll failed", extra={"die_type": die})
        raise HTTPException(500, str(failure)) from failure
    metrics.ROLLS.labels(die, "success").inc()
    metrics.VALUE.labels(die).observe(value)
    logger.info("rolled", extra={"die_type": die, "roll_value": value})
    return Roll(die=die, roll=value)


@app.get("/")
async def root() -> dict[str, str | list[str]]:
    return {
        "name": telemetry.SERVICE,
        "stage": telemetry.STAGE,
        "endpoints": ["/roll?die=fair", "/healthz", "/metrics"],
    }


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}
