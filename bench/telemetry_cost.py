"""What full instrumentation costs a request: the roller of stage 1 against the same roller bare."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bench.load import Load, closed_loop
from bench.pocket import pocket, url
from bench.processes import ROOT, running

PORT = 8951


@dataclass(frozen=True)
class Cost:
    bare: Load
    instrumented: Load

    @property
    def ratio(self) -> float:
        return self.instrumented.per_second / self.bare.per_second


def _measure(app: str, cwd: str, environment: dict[str, str]) -> Load:
    command = ["-m", "uvicorn", app, "--port", str(PORT), "--no-access-log"]
    with running(command, ready=f"http://127.0.0.1:{PORT}/healthz", cwd=ROOT / cwd, environment=environment):
        address = f"http://127.0.0.1:{PORT}/roll?die=fair"
        asyncio.run(closed_loop(address, seconds=1.0))  # warm-up: imports, caches, the first export
        return asyncio.run(closed_loop(address))


def measure_cost() -> Cost:
    """Both answer without delay; the instrumented one logs, counts, traces and profiles into a pocket stack."""
    bare = _measure("bench.bare_roller:app", ".", {})
    environment = {
        "ROLL_DELAY_MAX_SECONDS": "0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url(4318),
        "PYROSCOPE_SERVER_ADDRESS": url(4040),
    }
    with pocket():
        return Cost(bare, _measure("main:app", "stage1/dice-roller", environment))
