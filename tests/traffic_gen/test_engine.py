from __future__ import annotations

import asyncio
import random
from typing import Any, Self

import pytest

from traffic_gen import engine
from traffic_gen.outcome import Outcome, Summary
from traffic_gen.settings import Settings


class Recorder:
    """A user that notes what it decided, and how many act at once."""

    active = most = opened = closed = 0
    rolled: list[int]

    def __init__(self, log: list[int], seconds: float = 0.0) -> None:
        self.log, self.seconds = log, seconds

    async def __aenter__(self) -> Self:
        type(self).opened += 1
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        type(self).closed += 1

    async def act(self, rng: random.Random) -> Outcome:
        kind = type(self)
        kind.active += 1
        kind.most = max(kind.most, kind.active)
        try:
            self.log.append(rng.randrange(1000))
            await asyncio.sleep(self.seconds)
        finally:
            kind.active -= 1
        return Outcome("act", "200", self.seconds)


@pytest.fixture(autouse=True)
def fresh() -> None:
    Recorder.active = Recorder.most = Recorder.opened = Recorder.closed = 0


async def run(settings: Settings, seconds: float = 0.0) -> tuple[list[int], Summary]:
    log: list[int] = []
    summary = Summary()
    await engine.run(settings, lambda: Recorder(log, seconds), summary, lambda: None)
    return log, summary


QUICK: dict[str, Any] = {"think_time_seconds": 0.0, "duration_seconds": 10.0}


async def test_every_user_acts_as_often_as_it_may() -> None:
    log, summary = await run(Settings(num_users=3, max_rolls_per_user=4, **QUICK))
    assert len(log) == len(summary.outcomes) == 12
    assert (Recorder.opened, Recorder.closed) == (3, 3)


async def test_a_seed_repeats_a_run_and_another_does_not() -> None:
    settings: dict[str, Any] = {"num_users": 3, "max_rolls_per_user": 5, **QUICK}
    first, _ = await run(Settings(seed=7, **settings))
    again, _ = await run(Settings(seed=7, **settings))
    other, _ = await run(Settings(seed=8, **settings))
    assert sorted(first) == sorted(again) != sorted(other)


async def test_the_duration_ends_a_run_and_nothing_is_lost() -> None:
    log, summary = await run(
        Settings(num_users=2, max_rolls_per_user=0, think_time_seconds=0.01, duration_seconds=0.3)
    )
    assert len(log) >= len(summary.outcomes) > 4
    assert Recorder.closed == 2


async def test_a_closed_loop_never_has_more_at_work_than_users() -> None:
    await run(Settings(num_users=4, max_rolls_per_user=5, **QUICK), seconds=0.005)
    assert Recorder.most == 4


async def test_a_fixed_rate_does_not_wait_for_slow_answers() -> None:
    settings = Settings(num_users=50, max_rolls_per_user=1, rate=200, duration_seconds=5, think_time_seconds=0)
    _, summary = await run(settings, seconds=0.2)
    assert len(summary.outcomes) + summary.missed == 50
    assert Recorder.most > 5


async def test_arrivals_without_a_free_user_are_counted_as_missed() -> None:
    settings = Settings(num_users=1, max_rolls_per_user=20, rate=200, duration_seconds=5, think_time_seconds=0)
    _, summary = await run(settings, seconds=0.5)
    assert summary.missed > 0
    assert len(summary.outcomes) + summary.missed == 20


async def test_a_fixed_rate_repeats_with_its_seed() -> None:
    settings = Settings(num_users=20, max_rolls_per_user=1, rate=500, duration_seconds=5)
    first, _ = await run(settings)
    again, _ = await run(settings)
    assert first == again


async def test_cancelling_keeps_what_was_seen() -> None:
    log: list[int] = []
    summary = Summary()
    settings = Settings(num_users=1, max_rolls_per_user=0, think_time_seconds=0.001, duration_seconds=0)
    reached = asyncio.Event()

    def advance() -> None:
        if len(summary.outcomes) == 5:
            reached.set()

    task = asyncio.create_task(engine.run(settings, lambda: Recorder(log), summary, advance))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(summary.outcomes) >= 5
    assert summary.seconds > 0
    assert Recorder.closed == 1
