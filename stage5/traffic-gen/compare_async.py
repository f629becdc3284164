"""Rolls N dice one after the other, then N at once, and shows what that is worth."""

import json
import statistics
import time
from typing import Annotated, Any

import httpx
import typer
from rich.bar import Bar
from rich.console import Console
from rich.progress import track
from rich.table import Table

from traffic_gen.cli import require
from traffic_gen.settings import roller_url
from traffic_gen.telemetry import tracing

BAR_WIDTH = 40
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def one_by_one(client: httpx.Client, die: str, times: int) -> tuple[list[float], int]:
    """Seconds of each roll, and how many failed."""
    seconds, failed = [], 0
    for _ in track(range(times), "one by one", console=Console(stderr=True), transient=True):
        started = time.perf_counter()
        response = client.get("/roll", params={"die": die})
        seconds.append(time.perf_counter() - started)
        failed += failures(response, 1)
    return seconds, failed


def at_once(client: httpx.Client, die: str, times: int) -> tuple[float, int]:
    started = time.perf_counter()
    response = client.get("/roll-async", params={"die": die, "times": times})
    return time.perf_counter() - started, failures(response, times)


def failures(response: httpx.Response, times: int) -> int:
    """500: all fell off the table, which takes as long as a success. Whatever else is no roll to measure."""
    if response.status_code == 500:
        return times
    failed: int = response.raise_for_status().json().get("failed", 0)
    return failed


def measure(die: str, times: int, repeat: int) -> dict[str, Any]:
    """Seconds of both ways; `speedup` is the ratio of their medians."""
    with tracing(), httpx.Client(base_url=roller_url(), timeout=120) as client:
        single = [one_by_one(client, die, times) for _ in range(repeat)]
        batches = [at_once(client, die, times) for _ in range(repeat)]
    sequential = statistics.median(sum(seconds) for seconds, _ in single)
    together = statistics.median(seconds for seconds, _ in batches)
    return {
        "die": die,
        "times": times,
        "sequential_seconds": round(sequential, 3),
        "sequential_failed": sum(failed for _, failed in single),
        "at_once_seconds": round(together, 3),
        "at_once_failed": sum(failed for _, failed in batches),
        "slowest_single_roll_seconds": round(statistics.median(max(seconds) for seconds, _ in single), 3),
        "speedup": round(sequential / together, 2),
    }


def show(result: dict[str, Any]) -> None:
    table = Table(title=f"{result['times']} rolls of the {result['die']} die", title_justify="left")
    for heading in ("way", "seconds", "failed", ""):
        table.add_column(heading, justify="right" if heading in ("seconds", "failed") else "left")
    ways = {"one by one": "sequential", "at once": "at_once", "slowest of the single rolls": "slowest_single_roll"}
    longest = max(result[f"{name}_seconds"] for name in ways.values())
    for way, name in ways.items():
        seconds = result[f"{name}_seconds"]
        failed = str(result.get(f"{name}_failed", ""))
        table.add_row(way, f"{seconds:.2f}", failed, Bar(longest, 0, seconds, width=BAR_WIDTH))
    Console().print(table, f"Rolling at once is {result['speedup']:.1f} times as fast.")


@app.command(help=__doc__)
def main(
    times: Annotated[int, typer.Option(envvar="TIMES", help="Rolls.", min=1, max=100)] = 20,
    die: Annotated[str, typer.Option(envvar="DIE", help="Which die.")] = "fair",
    repeat: Annotated[int, typer.Option(help="How often to measure; shows medians.", min=1, max=20)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    require(roller_url(), "ROLLER_URL")
    try:
        result = measure(die, times, repeat)
    except httpx.HTTPError as error:
        typer.echo(f"compare_async: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        print(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    app()
