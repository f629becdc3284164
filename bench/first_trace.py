"""From `workshop up 1` to the first trace a learner can see, everything installed already."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import httpx

from bench.pocket import OFFSET, url
from bench.processes import ROOT


@contextlib.contextmanager
def stage(number: int) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryDirectory(prefix="bench-stage-") as folder:
        arguments = ["--port-offset", str(OFFSET), "--data-dir", folder]
        command = [sys.executable, "-m", "workshop", "up", str(number), *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _first_trace(until: float) -> None:
    """Roll, then search, until a trace of the roller is found; TimeoutError past `until` (monotonic seconds)."""
    query = {"q": '{ resource.service.name = "dice-roller" }'}
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url(8001, "/roll?die=fair"), timeout=5)
            if httpx.get(url(3200, "/api/search"), params=query, timeout=5).json()["traces"]:
                return
        time.sleep(0.1)
    raise TimeoutError("no trace was found")


def measure_first_trace() -> float:
    """Seconds from the command to the first trace in a search."""
    began = time.monotonic()
    with stage(1):
        _first_trace(began + 60)
        return time.monotonic() - began
