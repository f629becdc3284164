"""Runs virtual users: in a closed loop (act, think, act again) or at a fixed rate of arrivals.

A seed repeats a run: in a closed loop every user has a generator of its own, at a fixed rate every arrival has.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from traffic_gen.outcome import Outcome, Summary
from traffic_gen.settings import Settings
from traffic_gen.users import User

MakeUser = Callable[[], User]


async def run(settings: Settings, make_user: MakeUser, summary: Summary, advance: Callable[[], None]) -> None:
    """Adds every outcome to `summary`, which holds what was seen so far also when this is cancelled."""

    def record(outcome: Outcome) -> None:
        summary.add(outcome)
        advance()

    try:
        async with asyncio.timeout(settings.duration_seconds or None), AsyncExitStack() as stack:
            users = [await stack.enter_async_context(make_user()) for _ in range(settings.num_users)]
            if settings.rate:
                await fixed_rate(settings, users, record, summary)
            else:
                await closed_loop(settings, users, record)
    except TimeoutError:
        pass  # the duration is over: that is how most runs end
    finally:
        summary.finish()


async def closed_loop(settings: Settings, users: Sequence[User], record: Callable[[Outcome], None]) -> None:
    """Every user acts up to `max_rolls_per_user` times, with 0.5 to 1.5 think times in between."""

    async def one(index: int, user: User) -> None:
        rng = random.Random(f"{settings.seed}/user/{index}")
        done = 0
        while not settings.max_rolls_per_user or done < settings.max_rolls_per_user:
            await asyncio.sleep(rng.uniform(0.5, 1.5) * settings.think_time_seconds)
            record(await user.act(rng))
            done += 1

    async with asyncio.TaskGroup() as group:
        for index, user in enumerate(users):
            group.create_task(one(index, user))


async def fixed_rate(
    settings: Settings, users: Sequence[User], record: Callable[[Outcome], None], summary: Summary
) -> None:
    """An action starts every 1/rate seconds, done or not what came before; without a free user it is missed."""
    free = list(users)
    clock = asyncio.get_running_loop().time
    started, arrival = clock(), 0

    async def one(user: User, rng: random.Random) -> None:
        record(await user.act(rng))
        free.append(user)

    async with asyncio.TaskGroup() as group:
        while not settings.expected_actions or arrival < settings.expected_actions:
            await asyncio.sleep(started + arrival / settings.rate - clock())
            if free:
                group.create_task(one(free.pop(0), random.Random(f"{settings.seed}/arrival/{arrival}")))
            else:
                summary.missed += 1
            arrival += 1
