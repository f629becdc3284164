"""What full instrumentation costs a request: the roller of stage 1 against the same roller bare.

Both run all the time with the same uvicorn flags and take turns under load, so that a neighbour on the machine
slows both. Requests a second still swing with it; the CPU time of a request hardly does, so that is the figure
to compare between runs. It includes what the exporter's and the profiler's threads use.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.load import Load, closed_loop
from bench.processes import cpu_seconds, running

BARE, INSTRUMENTED, SINK = 8951, 8952, 8953
ROUNDS, ROUND_SECONDS, EXPORT_SECONDS = 5, 2.0, 1.2  # telemetry/export.py exports each second


@dataclass(frozen=True)
class Turn:
    """One server under load: the load, and the CPU seconds the server used for it."""

    load: Load
    cpu: float

    @property
    def per_request(self) -> float:
        return self.cpu / self.load.requests


@dataclass(frozen=True)
class Cost:
    """Turn by turn; the ratios are medians over neighboring turns."""

    bare: list[Turn]
    instrumented: list[Turn]

    @property
    def throughput_ratio(self) -> float:
        return statistics.median(
            i.load.per_second / b.load.per_second for b, i in zip(self.bare, self.instrumented, strict=True)
        )

    @property
    def cpu_ratio(self) -> float:
        return statistics.median(
            b.per_request / i.per_request for b, i in zip(self.bare, self.instrumented, strict=True)
        )


@contextlib.contextmanager
def _server(app: str, port: int, cwd: str = ".", **environment: str) -> Iterator[int]:
    """A server's pid. Its log goes to a file: a pipe that nobody empties would stop it."""
    command = ["-m", "uvicorn", app, "--port", str(port), "--no-access-log"]
    with running(command, ready=f"http://127.0.0.1:{port}/healthz", cwd=cwd, environment=environment) as process:
        yield process.pid


def _turn(port: int, pid: int, seconds: float = ROUND_SECONDS) -> Turn:
    before = cpu_seconds(pid)
    load = asyncio.run(closed_loop(f"http://127.0.0.1:{port}/roll?die=fair", seconds=seconds))
    time.sleep(EXPORT_SECONDS)  # what is exported later belongs to these requests, too
    return Turn(load, cpu_seconds(pid) - before)


def measure_cost(rounds: int = ROUNDS, seconds: float = ROUND_SECONDS) -> Cost:
    """Both answer without delay; the instrumented one logs, counts, traces and profiles into the sink."""
    backend = f"http://127.0.0.1:{SINK}"
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": backend, "PYROSCOPE_SERVER_ADDRESS": backend}
    with (
        _server("bench.sink:app", SINK),
        _server("bench.bare_roller:app", BARE) as bare,
        _server("main:app", INSTRUMENTED, "stage1/dice-roller", ROLL_DELAY_MAX_SECONDS="0", **environment) as full,
    ):
        pairs = [(_turn(BARE, bare, seconds), _turn(INSTRUMENTED, full, seconds)) for _ in range(rounds + 1)]
    measured = pairs[1:]  # the first warms up: imports, caches, connections
    return Cost([b for b, _ in measured], [i for _, i in measured])
