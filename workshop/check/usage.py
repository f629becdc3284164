"""The usage events of stage 6: what the logs say was emitted against what usage-service has stored, both ways."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime

from workshop.check.apis import Apis
from workshop.check.outcome import NotYetError

SERVICE, PORT = "usage-service", 8003
ROUTE_SECONDS = 15  # from the log line to the table, in good times
MOST_EVENTS = 1000  # in one answer
LINES = '{service_name=~".+"} |= "event_id" | json | usage="true"'


async def compare(apis: Apis) -> str:
    """Of the window's events, without the newest, which may be on their way."""
    until = time.time_ns() - ROUTE_SECONDS * 10**9
    since = until - apis.window * 10**9
    emitted = Counter(await emitted_events(apis, since, until))
    if not emitted:
        raise NotYetError(f"no usage event in the logs that is older than {ROUTE_SECONDS} s")
    stored = await stored_events(apis, since, until)
    if missing := sorted(emitted.keys() - stored):
        raise NotYetError(f"{len(missing)} of {len(emitted)} events are not stored, such as {missing[0]}")
    if unknown := sorted(stored - emitted.keys()):
        raise NotYetError(f"{len(unknown)} stored events are not in the logs, such as {unknown[0]}")
    if twice := [event for event, lines in emitted.items() if lines > 1]:
        raise NotYetError(f"{emitted[twice[0]]} log lines have the event_id {twice[0]}")
    return f"{len(emitted)} events in the logs, each stored once"


async def emitted_events(apis: Apis, since: int, until: int) -> list[str]:
    """Ids in the logs, one a line, page by page from the newest. A page may end amid lines of one time, so the
    next begins with that time, and a line that comes again, as one that was shipped twice, is the same line."""
    lines: set[tuple[int, str]] = set()
    end = until
    while True:
        streams = await apis.loki(LINES, limit=MOST_EVENTS, between=(since, end))
        page = {(int(at), line) for stream in streams for at, line, *_ in stream["values"]}
        new = page - lines
        lines |= page
        if len(page) < MOST_EVENTS or not new:
            return [json.loads(line)["event_id"] for _, line in lines]
        end = min(at for at, _ in page) + 1


async def stored_events(apis: Apis, since: int, until: int) -> set[str]:
    """Ids in the usage-service's table, page by page in their order."""
    first, last = (datetime.fromtimestamp(at / 1e9, UTC) for at in (since, until))
    found: set[str] = set()
    parameters: dict[str, str | int] = {"since": first.isoformat(), "limit": MOST_EVENTS}
    while True:
        response = await apis.client.get(f"{apis.service_url(PORT)}/usage/events", params=parameters)
        page = response.raise_for_status().json()
        found |= {event["event_id"] for event in page if datetime.fromisoformat(event["occurred_at"]) < last}
        if len(page) < MOST_EVENTS:
            return found
        parameters["after"] = page[-1]["event_id"]
