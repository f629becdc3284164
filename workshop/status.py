"""`workshop status`: the table of what runs, or the same as JSON."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from workshop.paths import RunPaths, flags, program
from workshop.run import orphans, state
from workshop.run.live import as_of_now, stopped
from workshop.run.losses import notices
from workshop.run.neighbours import neighbours, other_runs

COLUMNS = ("service", "state", "address", "pid", "restarts", "MB")
WIDTH = 80  # what they take with the longest name and address and a pid of seven digits
GOOD, PASSING = {"healthy", "completed"}, {"waiting", "starting", "restarting", "stopping"}


def show(paths: RunPaths, offset: int, *, as_json: bool) -> int:
    """Prints what runs here, and what else does; 1 when nothing runs here."""
    run = state.running(paths)
    if run:
        run["services"] = as_of_now(run["services"])
    if as_json:
        print(json.dumps(_as_json(run, paths), indent=2))
    else:
        _print(run, paths, offset)
    return 0 if run else 1


def _as_json(run: state.RunState | None, paths: RunPaths) -> dict[str, Any]:
    here = {**run, "services": [_with_memory(service) for service in run["services"]]} if run else None
    elsewhere = [
        {**other, "services": [service["name"] for service in other["services"]]} for other in neighbours(paths)
    ]
    told = notices(run, paths) if run else []
    left = [] if run else [{"pid": each.pid, "command": orphans.command(each)} for each in orphans.orphans(paths)]
    found = {"run": here, "orphans": left, "logs": str(paths.logs), "notices": told}
    return {**found, "other_runs": elsewhere}


def _with_memory(service: state.ServiceState) -> dict[str, Any]:
    return {**service, "resident_bytes": _resident_bytes(service["pid"])}


def _print(run: state.RunState | None, paths: RunPaths, offset: int) -> None:
    console = Console()
    here = flags(paths, offset)
    if run:
        console.print(_table(run, console.width))
        for line in (*_reasons(run), *notices(run, paths)):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        console.print(f"\nLogs: {program()} logs{here} ({paths.logs})", highlight=False, soft_wrap=True)
        console.print(f"Stop: {program()} down{here}", highlight=False, soft_wrap=True)
    elif left := orphans.told(paths, offset):
        console.print(left, highlight=False, markup=False, soft_wrap=True)
    else:
        start = f"Start a stage: {program()} up 1{here}"
        console.print(f"Nothing runs on port offset {offset}. {start}", highlight=False, soft_wrap=True)
    for line in other_runs(paths, "status"):
        console.print(line, highlight=False, soft_wrap=True)


def _reasons(run: state.RunState) -> list[str]:
    """Why those that are not healthy are not."""
    ill = [service for service in run["services"] if service["state"] not in GOOD and service.get("reason")]
    reasons = [f"{service['name']}: {service['reason']}" for service in ill]
    asleep = stopped(run["supervisor"], children=False)
    return [*reasons, f"supervisor: {asleep}"] if asleep else reasons


def _table(run: state.RunState, width: int) -> Table:
    """Names, states and addresses are never cut: a terminal too narrow for all columns gets those three."""
    columns = COLUMNS if width >= WIDTH else COLUMNS[:3]
    table = Table(*columns, box=None, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0))
    table.title = (
        f"Stage {run['stage']}, port offset {run['offset']}, {run['state']} since {_clock(run['started'])}"
    )
    for column in table.columns:
        column.no_wrap = True
    for service in run["services"]:
        table.add_row(*_row(service)[: len(columns)])
    well = "[red]not answering[/]" if stopped(run["supervisor"], children=False) else "[green]healthy[/]"
    supervisor = ("supervisor", well, "", str(run["supervisor"]), "")
    table.add_row(*(*supervisor, _megabytes(_resident_bytes(run["supervisor"], children=False)))[: len(columns)])
    return table


def _clock(started: str) -> str:
    return datetime.fromisoformat(started).astimezone().strftime("%H:%M:%S")


def _row(service: state.ServiceState) -> tuple[str, ...]:
    now = service["state"]
    style = "green" if now in GOOD else "yellow" if now in PASSING else "red"
    address = service["url"] or " ".join(f"localhost:{port}" for port in service["ports"].values())
    numbers = (str(service["pid"] or ""), str(service["restarts"]), _megabytes(_resident_bytes(service["pid"])))
    return (service["name"], f"[{style}]{now}[/]", address, *numbers)


def _resident_bytes(pid: int | None, *, children: bool = True) -> int | None:
    """Of the process and its children; None when it is gone."""
    with contextlib.suppress(psutil.Error):
        if pid is not None:
            process = psutil.Process(pid)
            family = (process, *process.children(recursive=True)) if children else (process,)
            return sum(each.memory_info().rss for each in family)
    return None


def _megabytes(resident: int | None) -> str:
    return "" if resident is None else f"{resident / 2**20:.0f}"
