"""Runs every measurement and writes bench/results.md; given names, runs those alone and writes nothing."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from collections.abc import Callable
from datetime import date

from rich.console import Console

from bench.first_trace import measure_first_trace
from bench.pocket import Stored, measure_ingest
from bench.processes import ROOT
from bench.stage import TIMES, measure_stage
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


def _stored(stored: Stored) -> str:
    return f"{stored.per_second:,.0f} /s ({stored.found:,} of {stored.sent:,} found again)"


def ingest() -> list[Row]:
    figures = measure_ingest()
    return [
        ("unique spans sent, stored and found (OTLP/HTTP, one client)", _stored(figures.spans)),
        ("unique log lines sent, stored and found (Loki push, one client)", _stored(figures.lines)),
        ("resident memory of the pocket stack after it", f"{figures.resident_mib:.0f} MiB"),
    ]


def stage_six() -> list[Row]:
    figures = measure_stage()
    panels = figures.panels
    return [
        (f"`/roll-async` of {TIMES} ÷ its slowest roll (spans)", f"{figures.over_slowest:.2f}"),
        (f"{TIMES} rolls in a row ÷ at once", f"{figures.in_a_row / figures.at_once:.1f}"),
        (f"queries of all {len(panels)} dashboard panels, one after the other", f"{sum(panels):.2f} s"),
        ("one panel, median and slowest", f"{statistics.median(panels) * 1e3:.0f} ms, {max(panels) * 1e3:.0f} ms"),
        ("panels without data", str(figures.without_data)),
    ]


MEASUREMENTS: dict[str, tuple[str, Callable[[], list[Row]]]] = {
    "cost": ("The price of telemetry", telemetry_cost),
    "first-trace": ("The first trace", first_trace),
    "stage": ("Stage 6: rolling at once, and its dashboard", stage_six),
    "ingest": ("Pocket stack", ingest),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="WHAT", help=f"of {', '.join(MEASUREMENTS)}; default: all")
    given = parser.parse_args()
    if unknown := set(given.only) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}. There are: {', '.join(MEASUREMENTS)}.")
    return given


def main() -> None:
    only = arguments().only
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
    chosen = [MEASUREMENTS[name] for name in only or MEASUREMENTS]
    for number, (title, measure) in enumerate(chosen, 1):
        with console.status(f"{number} of {len(chosen)}: {title} …"):
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
    if only:
        return
    (ROOT / "bench" / "results.md").write_text("\n".join(lines), encoding="utf-8")
    console.print("Written to bench/results.md")


if __name__ == "__main__":
    main()
