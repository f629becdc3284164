"""The command line that every stage's generate_traffic.py has."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Annotated

import httpx
import typer

from traffic_gen import engine, report
from traffic_gen.open_files import raise_limit
from traffic_gen.outcome import Summary
from traffic_gen.settings import Settings
from traffic_gen.telemetry import tracing
from traffic_gen.users import User

OWN_FILES = 64  # beside the users' connections: libraries, the exporter, the event loop
INTERRUPTED = 130  # what a shell reports for a command ended by Ctrl-C


def option(env: str, text: str, minimum: float = 0, maximum: float | None = None) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(envvar=env, help=text, min=minimum, max=maximum)
    return info


def command(make_user: Callable[[Settings], User], target: str, variable: str, description: str | None) -> None:
    """Parses flags and environment, drives `target` with users, prints the summary, exits.

    `variable` is the environment variable that sets the target, for the hint when it does not answer.

    Exit codes: 0 done, 1 the target does not answer or answered nothing well, 2 a bad value, 130 interrupted.
    """

    def main(
        num_users: Annotated[int, option("NUM_USERS", "Users at work at the same time.", 1, 1000)] = 5,
        max_rolls_per_user: Annotated[int, option("MAX_ROLLS_PER_USER", "Actions of one user; 0: no limit.")] = 20,
        async_probability: Annotated[float, option("ASYNC_PROBABILITY", "Share of batch rolls.", 0, 1)] = 0.3,
        max_async_rolls: Annotated[int, option("MAX_ASYNC_ROLLS", "Most rolls in a batch.", 1, 100)] = 10,
        think_time_seconds: Annotated[float, option("THINK_TIME_SECONDS", "Mean pause of a user.")] = 0.5,
        duration_seconds: Annotated[float, option("DURATION_SECONDS", "The longest run; 0: no limit.")] = 60.0,
        rate: Annotated[float, option("RATE", "Actions per second, all users together; 0: closed loop.")] = 0.0,
        seed: Annotated[int, option("SEED", "The same seed makes the same choices.")] = 1,
        as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
    ) -> None:
        limits = (num_users, max_rolls_per_user, async_probability, max_async_rolls)
        settings = Settings(*limits, think_time_seconds, duration_seconds, rate, seed)
        require_files(num_users)
        require(target, variable)
        raise typer.Exit(drive(settings, lambda: make_user(settings), as_json))

    main.__doc__ = description
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()


def require_files(users: int) -> None:
    """Exits with one clear line when this process may not open a connection for each user."""
    allowed, needed = raise_limit(), users + OWN_FILES
    if allowed < needed:
        hint = f"Raise it (ulimit -n {needed}), or set NUM_USERS to {max(1, allowed - OWN_FILES)}."
        typer.echo(
            f"traffic: {users} users need {needed} open files, and the limit is {allowed}. {hint}", err=True
        )
        raise typer.Exit(2)


def require(target: str, variable: str) -> None:
    """Exits with one clear line when nothing healthy answers at the target's /healthz."""
    try:
        httpx.get(f"{target}/healthz", timeout=5).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error).splitlines()[0]
        hint = f"Start the stage (workshop up N), or set {variable}, or PORT_OFFSET if it runs on other ports."
        typer.echo(f"traffic: {target} does not answer: {reason}. {hint}", err=True)
        raise typer.Exit(1) from None


def drive(settings: Settings, make_user: Callable[[], User], as_json: bool) -> int:
    """Runs to the end or to Ctrl-C, shows the summary of what happened, returns the exit code."""
    summary = Summary()
    with tracing(), report.progress(settings) as advance:
        interrupted = asyncio.run(until_signal(settings, make_user, summary, advance))
    report.show(summary, as_json)
    if interrupted:
        return INTERRUPTED
    return 0 if any(outcome.ok for outcome in summary.outcomes) else 1


async def until_signal(
    settings: Settings, make_user: Callable[[], User], summary: Summary, advance: Callable[[], None]
) -> bool:
    """True when SIGINT or SIGTERM ended the run early."""
    work = asyncio.create_task(engine.run(settings, make_user, summary, advance))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        return True
    return False
