"""Run every measurement, print a table, write bench/results.md."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable
from datetime import date

from rich.console import Console

from bench.first_trace import measure_first_trace
from bench.pocket import measure_ingest
from bench.processes import ROOT
from bench.telemetry_cost import Turn, measure_cost

Row = tuple[str, str]


def _turns(turns: list[Turn]) -> str:
    """Medians over the turns."""
    rate = statistics.median(turn.load.per_second for turn in turns)
    p99 = statistics.median(turn.load.percentile(0.99) for turn in turns)
    cpu = statistics.median(turn.per_request for turn in turns)
    return f"{rate:,.0f} requests/s, p99 {p99 * 1e3:.1f} ms, CPU {cpu * 1e6:.0f} µs a request"


def telemetry_cost() -> list[Row]:
    cost = measure_cost()
    return [
        ("bare roller", _turns(cost.bare)),
        ("instrumented roller", _turns(cost.instrumented)),
        ("instrumented ÷ bare, requests/s", f"{cost.throughput_ratio:.2f}"),
        ("**bare ÷ instrumented, CPU a request**", f"**{cost.cpu_ratio:.2f}**"),
    ]


def first_trace() -> list[Row]:
    return [("`workshop up 1` → first trace in a search", f"{measure_first_trace():.1f} s")]


def ingest() -> list[Row]:
    figures = measure_ingest()
    return [
        ("spans decoded (OTLP/HTTP, one client, one batch repeated)", f"{figures.spans_per_second:,.0f} /s"),
        ("log lines decoded (Loki push, one client, one batch repeated)", f"{figures.lines_per_second:,.0f} /s"),
        ("resident memory of the pocket stack after it", f"{figures.resident_mib:.0f} MiB"),
    ]


MEASUREMENTS: list[tuple[str, Callable[[], list[Row]]]] = [
    ("The price of telemetry", telemetry_cost),
    ("The first trace", first_trace),
    ("Pocket stack", ingest),
]


def main() -> None:
    console = Console()
    machine = (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {date.today()}: {machine}. Ratios hold better than figures.",
        "",
    ]
    for title, measure in MEASUREMENTS:
        with console.status(f"{title} …"):
            rows = measure()
        lines += [
            f"## {title}",
            "",
            "| what | figure |",
            "|---|---|",
            *(f"| {what} | {figure} |" for what, figure in rows),
            "",
        ]
        for what, figure in rows:
            console.print(f"{what:55} {figure}", highlight=False)
    (ROOT / "bench" / "results.md").write_text("\n".join(lines))
    console.print("Written to bench/results.md")


if __name__ == "__main__":
    main()
