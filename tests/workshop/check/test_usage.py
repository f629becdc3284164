"""The comparison of stage 6 against a Loki and a usage-service that page, lose, double and invent."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from workshop.check import usage
from workshop.check.apis import Apis
from workshop.check.outcome import NotYetError

NOW = 1_790_000_000 * 10**9
BEGIN = NOW - 120 * 10**9
Event = tuple[int, str]  # when, id


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: NOW)


def events(number: int) -> list[Event]:
    """Three at each millisecond, so that pages end amid one time."""
    return [(BEGIN + n // 3 * 1_000_000, str(UUID(int=n * 7919 % 100_003 + 1))) for n in range(number)]


def stack(logged: list[Event], stored: list[Event]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = dict(request.url.params)
        return httpx.Response(200, json=loki(asked) if "query" in asked else rows(asked))

    def loki(asked: dict[str, str]) -> dict[str, Any]:
        start, end, limit = (int(asked[name]) for name in ("start", "end", "limit"))
        within = sorted((event for event in logged if start <= event[0] < end), reverse=True)[:limit]
        values = [[str(at), json.dumps({"event_id": id_})] for at, id_ in within]
        return {"data": {"result": [{"stream": {}, "values": values}]}}

    def rows(asked: dict[str, str]) -> list[dict[str, str]]:
        since = datetime.fromisoformat(asked["since"])
        found = [(id_, datetime.fromtimestamp(at / 1e9, UTC)) for at, id_ in stored]
        page = sorted((id_, at) for id_, at in found if at >= since and id_ > asked.get("after", ""))
        return [{"event_id": id_, "occurred_at": at.isoformat()} for id_, at in page[: int(asked["limit"])]]

    return httpx.MockTransport(answer)


async def compared(logged: list[Event], stored: list[Event]) -> str:
    async with httpx.AsyncClient(transport=stack(logged, stored)) as client:
        return await usage.compare(Apis(client, 0))


async def test_all_pages_are_compared() -> None:
    assert await compared(events(2500), events(2500)) == "2500 events in the logs, each stored once"


@pytest.mark.parametrize(
    ("logged", "stored", "said"),
    [
        ([], [], "no usage event"),
        (events(2500), events(2500)[1:], "1 of 2500 events are not stored"),  # the oldest: on the third page
        (events(2499), events(2500), "1 stored events are not in the logs"),
        ([*events(9), (BEGIN + 5_000_000, events(1)[0][1])], events(9), "2 log lines have the event_id"),
    ],
)
async def test_each_difference_is_said(logged: list[Event], stored: list[Event], said: str) -> None:
    with pytest.raises(NotYetError, match=said):
        await compared(logged, stored)


async def test_what_is_on_its_way_or_past_the_window_is_left_out() -> None:
    fresh, old = (NOW, str(UUID(int=5))), (BEGIN - 400 * 10**9, str(UUID(int=6)))
    assert "9 events" in await compared([*events(9), fresh, old], events(9))
    assert "9 events" in await compared(events(9), [*events(9), fresh, old])


async def test_a_line_that_was_shipped_again_is_one_line() -> None:
    assert "9 events" in await compared([*events(9), *events(9)], events(9))
