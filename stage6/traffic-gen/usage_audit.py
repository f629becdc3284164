"""Compares usage events emitted with usage events stored: lines in Loki and rows of usage-service, one by one.

A line that was never written is in neither, so the lines are held against the frontend's counter as well. Asks
Loki, Prometheus and usage-service, so either stack will do. Waits a while for what is on its way. Exit code 0: no
difference.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from traffic_gen.cli import option
from traffic_gen.settings import base_url

LOKI_URL = base_url("LOKI_URL", 3100)
PROMETHEUS_URL = base_url("PROMETHEUS_URL", 9090)
USAGE_SERVICE_URL = base_url("USAGE_SERVICE_URL", 8003)
LINES = '{service_name="streamlit-frontend"} |= "event_id" | json | usage="true"'
JOB = '{job="streamlit-frontend"}'
COUNTER = f"usage_events_total{JOB}"
BEFORE_SECONDS = 300  # a sample of the counter so long before the window says where it began
LOGGING_SECONDS = 0.5  # between a line's time and its event in the counter, at most
PAGE = 1000
SHOWN = 50
Events = dict[str, str]  # event id → event


@dataclass(frozen=True)
class Counted:
    """What the frontend counted from sample to sample. After a restart it may have counted more than it could say.

    `least` and `most` are log lines of that time: those that surely and those that perhaps belong to it.
    """

    events: int
    restarts: int
    least: int
    most: int

    @property
    def unlogged(self) -> int:
        return max(0, self.events - self.most)

    @property
    def uncounted(self) -> int:
        return 0 if self.restarts else max(0, self.least - self.events)


@dataclass(frozen=True)
class Audit:
    """`lines` are log lines: more of them than emitted events means that an id was logged twice."""

    emitted: Events
    stored: Events
    lines: int
    counted: Counted

    @property
    def missing(self) -> Events:
        return {key: event for key, event in self.emitted.items() if key not in self.stored}

    @property
    def unexpected(self) -> Events:
        return {key: event for key, event in self.stored.items() if key not in self.emitted}

    @property
    def good(self) -> bool:
        same = self.emitted.keys() == self.stored.keys() and self.lines == len(self.emitted)
        return same and not self.counted.unlogged and not self.counted.uncounted

    def as_dict(self) -> dict[str, Any]:
        counts = {"emitted": len(self.emitted), "stored": len(self.stored), "lines": self.lines}
        counts |= {"counted": self.counted.events, "restarts": self.counted.restarts}
        counts |= {"unlogged": self.counted.unlogged, "uncounted": self.counted.uncounted}
        return counts | {"missing": sorted(self.missing), "unexpected": sorted(self.unexpected), "good": self.good}


def audit(client: httpx.Client, start: datetime, end: datetime) -> Audit:
    """Of the events that happened in [start, end)."""
    since, events, until, restarts = count(client, start.timestamp(), end.timestamp())
    lines = usage_lines(client, nanoseconds(start, -BEFORE_SECONDS), nanoseconds(end, 1))
    inside = [(at, line) for at, line in lines if nanoseconds(start) <= at < nanoseconds(end)]
    fields = [json.loads(line) for _, line in inside]
    emitted = {line["event_id"]: line["event"] for line in fields}
    read = (since + scrape_seconds(client, since), until + scrape_seconds(client, until))
    times = [at / 1e9 for at, _ in lines]
    least = sum(read[0] + LOGGING_SECONDS <= at < until - LOGGING_SECONDS for at in times)
    most = sum(since - LOGGING_SECONDS <= at < read[1] + LOGGING_SECONDS for at in times)
    return Audit(emitted, stored_events(client, start, end), len(inside), Counted(events, restarts, least, most))


def count(client: httpx.Client, start: float, end: float) -> tuple[float, int, float, int]:
    """(since, events, until, restarts): what the counter says of about this time, and of which time exactly.

    Samples as they were scraped: Prometheus' increase() estimates what lies between them.
    """
    query: dict[str, str | float] = {"query": f"{COUNTER}[{end - start + BEFORE_SECONDS:.0f}s]", "time": end}
    answer = client.get(f"{PROMETHEUS_URL}/api/v1/query", params=query).raise_for_status()
    series = [[(at, float(value)) for at, value in each["values"]] for each in answer.json()["data"]["result"]]
    times = [at for samples in series for at, _ in samples]
    earlier = [at for at in times if at <= start]
    since = max(earlier, default=start)
    events, restarts = 0.0, 0
    for samples in series:
        before = max((at, value) for at, value in [(0.0, 0.0), *samples] if at <= since)[1]
        for _, value in (sample for sample in samples if sample[0] > since):
            restarts += value < before
            events += value - before if value >= before else value
            before = value
    return since, round(events), max(times, default=end), restarts


def scrape_seconds(client: httpx.Client, at: float) -> float:
    """How long the scrape of this time took: a sample has the time it began, the counter was read by its end."""
    query: dict[str, str | float] = {"query": f"scrape_duration_seconds{JOB}", "time": at}
    answer = client.get(f"{PROMETHEUS_URL}/api/v1/query", params=query).raise_for_status()
    return max((float(each["value"][1]) for each in answer.json()["data"]["result"]), default=0.0)


def nanoseconds(at: datetime, later_seconds: int = 0) -> int:
    return int(at.timestamp() * 1e6) * 1000 + later_seconds * 10**9


def usage_lines(client: httpx.Client, start: int, end: int) -> set[tuple[int, str]]:
    """(time, line), page by page. A page may end amid lines of one time, so the next begins with that time."""
    found: set[tuple[int, str]] = set()
    while True:
        query: dict[str, str | int] = {
            "query": LINES,
            "start": start,
            "end": end,
            "limit": PAGE,
            "direction": "forward",
        }
        answer = client.get(f"{LOKI_URL}/loki/api/v1/query_range", params=query).raise_for_status()
        streams = answer.json()["data"]["result"]
        page = [(int(at), line) for stream in streams for at, line, *_ in stream["values"]]
        more = set(page) - found
        found |= more
        if len(page) < PAGE:
            return found
        start = max(at for at, _ in page) + (0 if more else 1)


def stored_events(client: httpx.Client, start: datetime, end: datetime) -> Events:
    found: Events = {}
    query: dict[str, str | int] = {"since": start.isoformat(), "limit": PAGE}
    while True:
        page = client.get(f"{USAGE_SERVICE_URL}/usage/events", params=query).raise_for_status().json()
        for event in page:
            if datetime.fromisoformat(event["occurred_at"]) < end:
                found[event["event_id"]] = event["event"]
        if len(page) < PAGE:
            return found
        query["after"] = page[-1]["event_id"]


def until_settled(client: httpx.Client, start: datetime, end: datetime, patience: float) -> Audit:
    """Again and again until nothing differs, or patience is at its end."""
    deadline = time.monotonic() + patience
    while True:
        found = audit(client, start, end)
        if found.good or time.monotonic() > deadline:
            return found
        time.sleep(1)


def show(found: Audit) -> None:
    table = Table(title=f"{len(found.emitted)} events in {found.lines} log lines", title_justify="left")
    for heading in ("event", "emitted", "stored", "missing", "unexpected"):
        table.add_column(heading, justify="left" if heading == "event" else "right")
    columns = [
        Counter(events.values()) for events in (found.emitted, found.stored, found.missing, found.unexpected)
    ]
    for event in sorted(set().union(*columns)):
        table.add_row(event, *(str(column[event]) for column in columns))
    Console().print(table)
    for what, events in (("not stored", found.missing), ("not in the logs", found.unexpected)):
        for key, event in sorted(events.items())[:SHOWN]:
            print(f"{what}: {event} {key}")
    counted = found.counted
    if counted.unlogged:
        print(f"counted, but in no log line: {counted.unlogged} of {counted.events} ({COUNTER})")
    if counted.uncounted:
        print(f"in the logs, but not counted: {counted.uncounted} of {counted.least} ({COUNTER})")
    print("No difference." if found.good else "Counted, emitted and stored differ.")


def main(
    minutes: Annotated[float, option("MINUTES", "How far to look back.", 0.1)] = 60.0,
    wait_seconds: Annotated[float, option("WAIT_SECONDS", "How long to wait for events on their way.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Compare the usage events in the logs with those that the frontend counted and usage-service stored."""
    now = time.time()
    start, end = datetime.fromtimestamp(now - 60 * minutes, UTC), datetime.fromtimestamp(now, UTC)
    try:
        with httpx.Client(timeout=30) as client:
            found = until_settled(client, start, end, wait_seconds)
    except httpx.HTTPError as error:
        hint = "Are LOKI_URL, PROMETHEUS_URL and USAGE_SERVICE_URL right, and is the stage running?"
        typer.echo(f"audit: {error}. {hint}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        print(json.dumps(found.as_dict()))
    else:
        show(found)
    raise typer.Exit(0 if found.good else 1)


if __name__ == "__main__":
    typer.run(main)
