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


def one_by_one(client: httpx.Client, die: str, times: int) -> list[float]:
    """Seconds of each roll."""
    seconds = []
    for _ in track(range(times), "one by one", console=Console(stderr=True), transient=True):
        started = time.perf_counter()
        client.get("/roll", params={"die": die})
        seconds.append(time.perf_counter() - started)
    return seconds


def at_once(client: httpx.Client, die: str, times: int) -> float:
    started = time.perf_counter()
    client.get("/roll-async", params={"die": die, "times": times}).raise_for_status()
    return time.perf_counter() - started


def measure(die: str, times: int, repeat: int) -> dict[str, Any]:
    """Seconds of both ways; `speedup` is the ratio of their medians."""
    with tracing(), httpx.Client(base_url=roller_url(), timeout=120) as client:
        single = [one_by_one(client, die, times) for _ in range(repeat)]
        batches = [at_once(client, die, times) for _ in range(repeat)]
    sequential, together = statistics.median(map(sum, single)), statistics.median(batches)
    slowest = statistics.median(map(max, single))
    return {
        "die": die,
        "times": times,
        "sequential_seconds": round(sequential, 3),
        "at_once_seconds": round(together, 3),
        "slowest_single_roll_seconds": round(slowest, 3),
        "speedup": round(sequential / together, 2),
    }


def show(result: dict[str, Any]) -> None:
    table = Table(title=f"{result['times']} rolls of the {result['die']} die", title_justify="left")
    for heading in ("way", "seconds", ""):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    ways = {"one by one": "sequential", "at once": "at_once", "slowest of the single rolls": "slowest_single_roll"}
    longest = max(result[f"{name}_seconds"] for name in ways.values())
    for way, name in ways.items():
        seconds = result[f"{name}_seconds"]
        table.add_row(way, f"{seconds:.2f}", Bar(longest, 0, seconds, width=BAR_WIDTH))
    Console().print(table, f"Rolling at once is {result['speedup']:.1f} times as fast.")


@app.command(help=__doc__)
def main(
    times: Annotated[int, typer.Option(envvar="TIMES", help="Rolls.", min=1, max=100)] = 20,
    die: Annotated[str, typer.Option(envvar="DIE", help="Which die.")] = "fair",
    repeat: Annotated[int, typer.Option(help="Measure so often; medians are shown.", min=1, max=20)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    require(roller_url(), "ROLLER_URL")
    try:
        result = measure(die, times, repeat)
    except httpx.HTTPError as error:
        typer.echo(f"compare_async: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        print(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    app()
