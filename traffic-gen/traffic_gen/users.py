"""A virtual user: opened once, then acts again and again."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Protocol, Self

import httpx

from traffic_gen.outcome import Outcome
from traffic_gen.settings import Settings, roller_url

TIMEOUT_SECONDS = 30.0


class User(Protocol):
    """Anything that can act: the engine opens it, lets it act and closes it.

    `act` takes all its decisions from the generator it is given, so that a seed repeats a run; it returns the
    outcome also where the request failed, and raises only when cancelled.
    """

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...
    async def act(self, rng: random.Random) -> Outcome: ...


class HttpUser:
    """Base of the users that speak HTTP; each has a connection of its own, as a browser would."""

    def __init__(self, base_url: str) -> None:
        self.client = httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_SECONDS)

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.client.aclose()

    async def get(self, action: str, path: str, params: Mapping[str, str | int]) -> Outcome:
        started = time.perf_counter()
        try:
            status = str((await self.client.get(path, params=params)).status_code)
        except httpx.HTTPError as error:
            status = type(error).__name__
        return Outcome(action, status, time.perf_counter() - started)


class RollerUser(HttpUser):
    """Rolls one die a time, chosen by weight."""

    def __init__(self, settings: Settings, dice: Mapping[str, int]) -> None:
        super().__init__(roller_url())
        self.settings, self.dice = settings, dice

    def choose(self, rng: random.Random) -> str:
        return rng.choices(list(self.dice), weights=list(self.dice.values()))[0]

    async def act(self, rng: random.Random) -> Outcome:
        die = self.choose(rng)
        return await self.get(f"roll {die}", "/roll", {"die": die})
