"""Many rolls at once, in a task group: none outlives the request, and one that fails does not stop the others."""

import asyncio
import time

from fastapi import Request
from opentelemetry import trace

import metrics
from admission import Admission
from dice import Die
from rolling import RollError, throw
from telemetry.tracing import exemplar

# Each is a task and a span. Ten callers with a hundred each have room, the eleventh is refused.
in_the_air = Admission("rolls", 1000)


class CallerGoneError(Exception):
    """Nobody waits for the answer any more."""


async def throw_all(die: Die, times: int) -> list[int | None]:
    """The values, None for each roll that failed."""
    trace.get_current_span().set_attribute("dice.batch_size", times)
    metrics.BATCH_SIZE.observe(times)
    metrics.expect_async_rolls(die.identifier)
    started = time.perf_counter()
    try:
        async with asyncio.TaskGroup() as group:
            rolls = [group.create_task(attempt(die, index)) for index in range(times)]
    finally:
        metrics.BATCH_DURATION.observe(time.perf_counter() - started, exemplar())
    values = [roll.result() for roll in rolls]
    trace.get_current_span().set_attribute("dice.batch_total", sum(value or 0 for value in values))
    return values


async def attempt(die: Die, index: int) -> int | None:
    result = "cancelled"
    try:
        with metrics.IN_PROGRESS.track_inprogress():
            value = await throw(die, {"dice.roll_index": index})
        result = "success"
        return value
    except RollError:
        result = "failure"
        return None
    finally:
        metrics.ASYNC_ROLLS.labels(die.identifier, result).inc()


async def throw_all_for(request: Request, die: Die, times: int) -> list[int | None]:
    """Like throw_all; when the caller goes away, raises CallerGoneError and leaves no roll behind.

    OverloadedError when so many are in the air that these would be too many.
    """
    values: list[int | None] = []
    with in_the_air.admitted(times):
        try:
            async with asyncio.TaskGroup() as group:
                watcher = group.create_task(until_gone(request))
                values = await throw_all(die, times)
                watcher.cancel()
        except* CallerGoneError:
            pass
    if not values:
        raise CallerGoneError
    return values


async def until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise CallerGoneError
