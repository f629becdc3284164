"""Shaking the heavy die: real work for the CPU, in a thread, so that other rolls go on meanwhile."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pyroscope
from opentelemetry import trace

tracer = trace.get_tracer("dice-roller")
CUBES = 10_000
WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shaking")


async def shake(shakes: int) -> None:
    if shakes:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(WORKER, copy_context().run, shake_in_thread, shakes)


def shake_in_thread(shakes: int) -> None:
    """The profiler tags threads, so the tag is set where the work is: in this thread there is nobody else."""
    with tracer.start_as_current_span("shake", attributes={"dice.shakes": shakes}) as span:
        span_id = f"{span.get_span_context().span_id:016x}"
        span.set_attribute("pyroscope.profile.id", span_id)
        with pyroscope.tag_wrapper({"span_id": span_id}):
            cubes = list(range(CUBES))
            for _ in range(shakes):
                random.shuffle(cubes)
