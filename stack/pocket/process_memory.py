"""This process's memory: how much it has, how much it may have, what it gives back, who goes first without it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import resource
import sys
from pathlib import Path

_STATM = Path("/proc/self/statm")
_SCORE = Path("/proc/self/oom_score_adj")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Telemetry can be had again; the shell, the browser and the services beside it should live.
_FIRST_VICTIM = "500"
TRIM_SECONDS = 10.0


def resident_bytes() -> int:
    """Resident memory now; 0 where there is no /proc to tell it (macOS)."""
    try:
        return int(_STATM.read_bytes().split()[1]) * _PAGE
    except OSError:
        return 0


def peak_bytes() -> int:
    """The most that was ever resident."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def be_the_first_victim() -> None:
    """When memory runs out, Linux's killer takes this process before its neighbours. Elsewhere nothing happens."""
    with contextlib.suppress(OSError):
        if int(_SCORE.read_text(encoding="utf-8")) < int(_FIRST_VICTIM):
            _SCORE.write_text(_FIRST_VICTIM, encoding="utf-8")


def limit(size: int) -> None:
    """Allocations beyond `size` bytes of data fail (MemoryError) instead of taking the machine; 0 for no limit.

    RLIMIT_DATA counts what is writable and the process's own: not the code, nor what is merely reserved, which
    makes RLIMIT_AS useless here. At rest: 1.4 GB of addresses, 307 MB of data, 138 MB resident.
    """
    if not size:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = size if hard == resource.RLIM_INFINITY else min(size, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS knows the limit by name alone
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


async def give_back() -> None:
    """Returns what is no longer needed to the system every TRIM_SECONDS, until cancelled.

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
