"""Rows of the other signals: logs, traces, the service graph, profiles, and the processes' own use."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import panels
from dashboards.colors import LEVELS, of_services
from dashboards.queries import LOKI, cpu_profile, logql, promql, service_map, traceql
from dashboards.rows import RATE, Row


def logs(services: Sequence[str]) -> Row:
    selector = f'{{service_name=~"{"|".join(services)}"}}'
    return Row(
        "Logs",
        [
            panels.lines(
                "Log lines by level",
                "How much is logged, and how much of it is trouble. Loki counts lines as Prometheus does samples.",
                "suffix:lines/min",
                logql(f"sum by (level) (count_over_time({selector}[1m]))", "{{level}}"),
                size=(24, 6),
                source=LOKI,
                stacked=True,
                colors=LEVELS,
            ),
            panels.log_lines(
                "Log lines",
                "JSON lines with trace and span ids. Open one and follow its trace_id to the trace.",
                logql(selector),
            ),
        ],
    )


def traces(recent: str, failed: str) -> Row:
    return Row(
        "Traces",
        [
            panels.traces(
                "Recent rolls", f"The newest traces of {recent}. Click an id for the waterfall.", traceql(recent)
            ),
            panels.traces(
                "Failed rolls",
                f"Traces of {failed}: the exception is on the span.",
                traceql(failed),
                none="No roll failed in this time range",
            ),
        ],
    )


def service_graph() -> Row:
    teaches = "Who calls whom, how often and how slowly, derived from pairs of CLIENT and SERVER spans."
    return Row("Service graph", [panels.graph("Service graph", teaches, service_map())])


def runtime(jobs: Sequence[str]) -> Row:
    selector = f'{{job=~"{"|".join(jobs)}"}}'
    return Row(
        "Runtime",
        [
            panels.lines(
                "CPU usage",
                "Cores in use. One Python process cannot use more than one: at 1 it is saturated.",
                "suffix:cores",
                promql(f"sum by (job) (rate(process_cpu_seconds_total{selector}{RATE}))", "{{job}}"),
                colors=of_services(),
            ),
            panels.lines(
                "Resident memory",
                "Resident memory. It stays flat when a backend is away: telemetry waits in bounded queues.",
                "bytes",
                promql(f"sum by (job) (process_resident_memory_bytes{selector})", "{{job}}"),
                colors=of_services(),
            ),
        ],
    )


def profile(service: str) -> Row:
    teaches = "Where CPU time went: the wider a bar, the more. Waiting takes no CPU and does not show."
    return Row(f"{service}: profile", [panels.flames(f"CPU of {service}", teaches, cpu_profile(service))])
