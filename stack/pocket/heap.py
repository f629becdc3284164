"""Memory that is no longer needed goes back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import gc

TRIM_SECONDS = 10.0


async def run() -> None:
    """Until cancelled.

    A request that is refused leaves a cycle behind (the exception, its traceback, the frames and what they hold):
    200 MB after one of 200 000 spans, and the collector, which is told to run seldom, comes an hour later. glibc
    then has free blocks in every arena, which it keeps unless it is told.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(gc.collect)
        if trim is not None:
            await asyncio.to_thread(trim, 0)
