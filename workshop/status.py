"""`workshop status`: the table of what runs."""

from __future__ import annotations

import contextlib

import psutil
from rich.console import Console
from rich.table import Table

from workshop.paths import RunPaths
from workshop.run import state

GOOD, PASSING = {"healthy", "completed"}, {"waiting", "starting", "restarting", "stopping"}


def show(paths: RunPaths, offset: int) -> int:
    """Prints the table; 1 when nothing runs here."""
    run = state.running(paths)
    if run is None:
        print(f"Nothing runs on port offset {offset}. Start a stage: workshop up 1")
        return 1
    # Six columns, so that the longest name and address fit into 80 characters uncut.
    table = Table("service", "state", "pid", "address", "restarts", "memory", box=None, title_justify="left")
    table.columns[0].no_wrap = table.columns[3].no_wrap = True
    table.title = f"Stage {run['stage']}, port offset {run['offset']}, {run['state']} since {run['started']}"
    for service in run["services"]:
        table.add_row(*_row(service))
    table.add_row(
        "supervisor",
        "[green]healthy[/]",
        str(run["supervisor"]),
        "",
        "",
        _memory(run["supervisor"], children=False),
    )
    Console().print(table)
    return 0


def _row(service: state.ServiceState) -> tuple[str, ...]:
    state_ = service["state"]
    style = "green" if state_ in GOOD else "yellow" if state_ in PASSING else "red"
    address = service["url"] or " ".join(f"localhost:{port}" for port in service["ports"].values())
    numbers = (str(service["restarts"]), _memory(service["pid"]))
    return (service["name"], f"[{style}]{state_}[/]", str(service["pid"] or ""), address, *numbers)


def _memory(pid: int | None, *, children: bool = True) -> str:
    """Resident memory of the process and its children."""
    if pid is None:
        return ""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        family = (process, *process.children(recursive=True)) if children else (process,)
        resident = sum(each.memory_info().rss for each in family)
        return f"{resident / 2**20:.0f} MB"
    return ""
