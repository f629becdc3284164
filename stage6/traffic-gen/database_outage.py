"""An outage of the database: traffic, stop it, watch, start it, see that die-service is back by itself.

Works with `workshop up` and with `docker compose up`. Prints a timeline and the success rate second by second.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from die_service import DieServiceUser, die_service_url
from runtime import NotDoneError, NothingRunsError, Runtime, find
from traffic_gen.cli import option, require
from traffic_gen.telemetry import tracing

SERVICE, USERS, WIDTH = "postgres", 8, 40


@dataclass
class Observation:
    """Times in seconds since the traffic began. `answers` are (when it came, whether it was good)."""

    began: float = field(default_factory=time.perf_counter)
    timeline: list[tuple[float, str]] = field(default_factory=list)
    answers: list[tuple[float, bool]] = field(default_factory=list)
    down: float | None = None
    start_asked: float | None = None

    def now(self) -> float:
        return time.perf_counter() - self.began

    def note(self, what: str) -> float:
        self.timeline.append((now := self.now(), what))
        typer.echo(f"{now:7.2f} s  {what}", err=True)
        return now

    def between(self, start: float, end: float) -> list[bool]:
        return [good for at, good in self.answers if start <= at < end]

    @property
    def back(self) -> float | None:
        """The first success after the database was asked to start."""
        start = self.start_asked
        return next((at for at, good in self.answers if start is not None and at > start and good), None)

    def verdict(self) -> str:
        """Empty when all went as it should, else what did not."""
        if self.down is None or self.start_asked is None or self.back is None:
            return "die-service did not come back"
        if True in self.between(self.down, self.start_asked):
            return "there were answers from a database that was down"
        if False not in self.between(self.down, self.start_asked):
            return "nobody noticed the outage"
        after = self.between(self.back, self.now())
        return f"{after.count(False)} failures after it was back" if False in after else ""

    def summary(self) -> dict[str, Any]:
        return {
            "requests": len(self.answers),
            "failed": sum(not good for _, good in self.answers),
            "outage_seconds": round((self.start_asked or 0) - (self.down or 0), 2),
            "seconds_to_first_success": round(self.back - (self.start_asked or 0), 2) if self.back else None,
            "timeline": [{"at": round(at, 2), "what": what} for at, what in self.timeline],
            "success_rate": [
                {"second": s, "good": good, "all": everything} for s, good, everything in self.rates()
            ],
            "verdict": self.verdict() or "ok",
        }

    def rates(self) -> list[tuple[int, int, int]]:
        """(second, good answers, answers)."""
        seconds = range(int(self.now()) + 1)
        found = [(second, self.between(second, second + 1)) for second in seconds]
        return [(second, answers.count(True), len(answers)) for second, answers in found if answers]


async def traffic(observation: Observation, rate: float) -> None:
    """`rate` requests a second, shared by the users; each waits for its answer."""

    async def one(index: int) -> None:
        rng = random.Random(index)
        async with DieServiceUser(list_ratio=0.2) as user:
            while True:
                outcome = await user.act(rng)
                observation.answers.append((observation.now(), outcome.ok))
                await asyncio.sleep(rng.uniform(0.5, 1.5) * USERS / rate)

    async with asyncio.TaskGroup() as group:
        for index in range(USERS):
            group.create_task(one(index))


async def outage(observation: Observation, runtime: Runtime, before: float, length: float, after: float) -> None:
    observation.note(f"traffic on {die_service_url()}")
    await asyncio.sleep(before)
    observation.note(f"{SERVICE} is asked to stop ({runtime.name})")
    try:
        await asyncio.to_thread(runtime.stop, SERVICE)
        observation.down = observation.note(f"{SERVICE} is down")
        await asyncio.sleep(length)
    finally:  # also when interrupted: nobody wants a database that stays down
        observation.start_asked = observation.note(f"{SERVICE} is asked to start")
        await asyncio.to_thread(runtime.start, SERVICE)
    observation.note(f"{SERVICE} has started")
    await until(lambda: observation.back is not None, seconds=30)
    if observation.back is not None:
        observation.note(
            f"die-service is back, {observation.back - observation.start_asked:.2f} s after that request"
        )
        await asyncio.sleep(after)


async def until(what: Callable[[], bool], seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while not what() and time.perf_counter() < deadline:  # noqa: ASYNC110 - two words are looked at, twenty times a second
        await asyncio.sleep(0.05)


async def together(observation: Observation, rate: float, work: Awaitable[None]) -> None:
    """Traffic for as long as the work takes."""
    load = asyncio.create_task(traffic(observation, rate))
    try:
        await work
    finally:
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)


def show(observation: Observation) -> None:
    print("\nSuccess rate, second by second")
    for second, good, everything in observation.rates():
        bar = "█" * round(WIDTH * good / everything)
        print(f"{second:4d} s  {bar:<{WIDTH}}  {100 * good / everything:3.0f} %  {good}/{everything}")
    print("\nTimeline")
    for at, what in observation.timeline:
        print(f"{at:7.2f} s  {what}")
    print(f"\n{observation.verdict() or 'Nothing was answered wrongly, and it healed by itself.'}")


def main(
    rate: Annotated[float, option("RATE", "Requests per second.", 1)] = 40.0,
    before_seconds: Annotated[float, option("BEFORE_SECONDS", "Traffic before the outage.", 0)] = 5.0,
    outage_seconds: Annotated[float, option("OUTAGE_SECONDS", "How long the database is away.", 1)] = 20.0,
    after_seconds: Annotated[float, option("AFTER_SECONDS", "Traffic once it is back.", 0)] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was seen as one JSON object.")] = False,
) -> None:
    """Stop the database under traffic, start it again. Exit code 0: failures while it was away, none after."""
    require(die_service_url(), "DIE_SERVICE_URL")
    try:
        runtime = find(SERVICE)
    except NothingRunsError as error:
        typer.echo(f"outage: {error}", err=True)
        raise typer.Exit(2) from None
    observation = Observation()
    with tracing():
        work = outage(observation, runtime, before_seconds, outage_seconds, after_seconds)
        try:
            asyncio.run(together(observation, rate, work))
        except NotDoneError as error:
            typer.echo(f"outage: {error}", err=True)
            raise typer.Exit(2) from None
    if as_json:
        print(json.dumps(observation.summary()))
    else:
        show(observation)
    raise typer.Exit(bool(observation.verdict()))


if __name__ == "__main__":
    typer.run(main)
