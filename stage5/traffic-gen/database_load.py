"""Load on the database through die-service: requests per second, and how many of them are for the list.

Shows the rate that was reached, percentiles and errors. --rate 0 is a closed loop: as fast as the users can.
"""

import asyncio
import json
from typing import Annotated

import typer

from die_service import DieServiceUser, die_service_url
from traffic_gen import report
from traffic_gen.cli import INTERRUPTED, option, require, until_signal
from traffic_gen.outcome import Summary
from traffic_gen.settings import Settings
from traffic_gen.telemetry import tracing


def main(
    rate: Annotated[float, option("RATE", "Requests per second, all users together; 0: closed loop.")] = 100.0,
    list_ratio: Annotated[float, option("LIST_RATIO", "Share of requests for the list.", 0, 1)] = 0.2,
    num_users: Annotated[int, option("NUM_USERS", "Requests at the same time, at most.", 1, 1000)] = 20,
    duration_seconds: Annotated[float, option("DURATION_SECONDS", "Length of the run.", 0.1)] = 10.0,
    seed: Annotated[int, option("SEED", "The same seed makes the same choices.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Load on the database by way of die-service. Exit code 0: all requests were answered well."""
    require(die_service_url(), "DIE_SERVICE_URL")
    settings = Settings(
        num_users, 0, think_time_seconds=0, duration_seconds=duration_seconds, rate=rate, seed=seed
    )
    summary = Summary()
    with tracing(), report.progress(settings) as advance:
        users = until_signal(settings, lambda: DieServiceUser(list_ratio), summary, advance)
        interrupted = asyncio.run(users)
    show(summary, rate, as_json)
    failed = summary.as_dict()["failed"] or not summary.outcomes
    raise typer.Exit(INTERRUPTED if interrupted else int(bool(failed)))


def show(summary: Summary, rate: float, as_json: bool) -> None:
    reached = summary.as_dict()["requests_per_second"]
    if as_json:
        print(json.dumps(summary.as_dict() | {"target_per_second": rate}))
        return
    report.show(summary, as_json=False)
    print(f"{reached:.1f} requests a second" + (f" of {rate:g} asked for" if rate else " (closed loop)"))


if __name__ == "__main__":
    typer.run(main)
