"""The progress bar (stderr) and the table at the end (stdout)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from traffic_gen.outcome import Summary, figures
from traffic_gen.settings import Settings

stderr = Console(stderr=True)


@contextmanager
def progress(settings: Settings) -> Iterator[Callable[[], None]]:
    """Yields the function to call after each action."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} actions"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=stderr, transient=True) as bar:
        task = bar.add_task(f"{settings.num_users} users", total=settings.expected_actions)
        yield lambda: bar.advance(task)


def row(name: str, figures: dict[str, Any]) -> list[str]:
    errors = ", ".join(f"{status} × {count}" for status, count in figures["errors"].items())
    latency = [f"{value:.0f}" for value in figures["latency_ms"].values()]
    return [name, str(figures["requests"]), str(figures["failed"]), *latency, errors]


def table(summary: Summary) -> Table:
    title = f"{len(summary.outcomes)} requests in {summary.seconds:.1f} s, {summary.per_second:.1f} a second"
    if summary.missed:
        title += f", {summary.missed} arrivals missed (no free user: raise NUM_USERS)"
    result = Table(title=title, title_justify="left", show_footer=False)
    for heading in ("action", "requests", "failed", "p50 ms", "p95 ms", "p99 ms", "errors by status"):
        result.add_column(heading, justify="left" if heading in ("action", "errors by status") else "right")
    for name, outcomes in summary.by_action().items():
        result.add_row(*row(name, figures(outcomes)))
    result.add_section()
    if summary.outcomes:
        result.add_row(*row("all", figures(summary.outcomes)))
    return result


def show(summary: Summary, as_json: bool) -> None:
    """The summary on stdout: one JSON object, or the table."""
    if as_json:
        print(json.dumps(summary.as_dict()))
    else:
        Console().print(table(summary))
