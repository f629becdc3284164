"""Shaking the heavy die: real work for the CPU, in a thread, so that other rolls go on meanwhile."""

import asyncio
import random

import pyroscope
from opentelemetry import trace

tracer = trace.get_tracer("dice-roller")
CUBES = 10_000


async def shake(shakes: int) -> None:
    if shakes:
        await asyncio.to_thread(shake_in_thread, shakes)


def shake_in_thread(shakes: int) -> None:
    """The profiler tags threads, so the tag is set where the work is: in this thread there is nobody else."""
    with tracer.start_as_current_span("shake", attributes={"die.shakes": shakes}) as span:
        span_id = f"{span.get_span_context().span_id:016x}"
        span.set_attribute("pyroscope.profile.id", span_id)
        with pyroscope.tag_wrapper({"span_id": span_id}):
            cubes = list(range(CUBES))
            for _ in range(shakes):
                random.shuffle(cubes)
