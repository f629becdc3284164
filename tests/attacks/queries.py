"""Queries that are too much for one process: abandoned, with a series for everything, over a million lines."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from tests.attacks.attack import Figure, Outcome, attack
from tests.attacks.checkout import Checkout, Pocket

PEAK_MB = 700
ABANDONED, SOON_SECONDS = 45, 3.0
PUSH = "/loki/api/v1/push"
PATIENCE = 90.0
T = TypeVar("T")
Entry = tuple[dict[str, str], int, str]


# ---- what is loaded
def push_logs(pocket: Pocket, entries: Iterable[Entry], size: int = 20_000) -> None:
    """In big batches; a full queue is waited for."""
    for batch in batched(entries, size):
        by_stream: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
        for labels, t_ns, line in batch:
            by_stream.setdefault(tuple(labels.items()), []).append([str(t_ns), line])
        streams = [{"stream": dict(labels), "values": values} for labels, values in by_stream.items()]
        delivered(pocket.url(3100, PUSH), {"streams": streams})
    time.sleep(2)  # the store commits twice a second


def push_spans(pocket: Pocket, count: int, size: int = 5_000) -> None:
    now = time.time_ns()
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "attacked"}}]}
    for numbers in batched(range(count), size):
        spans = [
            {"traceId": f"{n // 10 + 1:032x}", "spanId": f"{n + 1:016x}", "name": "work", "kind": 1,
             "startTimeUnixNano": str(now - n * 10**5), "endTimeUnixNano": str(now - n * 10**5 + 10**6)}
            for n in numbers
        ]  # fmt: skip
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
        delivered(pocket.url(4318, "/v1/traces"), body)
    time.sleep(2)


def delivered(url: str, body: Any) -> None:
    text, headers = json.dumps(body), {"content-type": "application/json"}
    while True:
        answer = httpx.post(url, content=text, headers=headers, timeout=PATIENCE, trust_env=False)
        if answer.status_code not in (429, 503):
            answer.raise_for_status()
            return
        time.sleep(0.2)


def json_lines(count: int) -> Iterable[Entry]:
    """As the services write them, over the last fifty minutes, from five processes."""
    begin = time.time_ns() - 3000 * 10**9
    for n in range(count):
        line = {
            "timestamp": "2026-01-01T00:00:00.000Z", "level": "info" if n % 10 else "error", "logger": "roller",
            "message": f"rolled number {n}", "service": "dice-roller", "trace_id": f"{n:032x}",
            "span_id": f"{n:016x}", "status": 200 if n % 20 else 500, "die_type": "fair",
            "duration": 0.125 * (n % 9),
        }  # fmt: skip
        yield {"app": "x", "n": str(n % 5)}, begin + n * 3000 * 10**9 // count, json.dumps(line)


def batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


# ---- what is asked
def asked(url: str, **params: str) -> tuple[str, float]:
    """The answer's beginning, and the seconds until it came."""
    began = time.monotonic()
    try:
        answer = httpx.get(url, params=params, timeout=PATIENCE, trust_env=False)
        said = f"{answer.status_code} {answer.text.strip()[:160]}"
    except httpx.TransportError as error:
        said = type(error).__name__
    return said, round(time.monotonic() - began, 2)


def refused(pocket: Pocket, url: str, **params: str) -> Outcome:
    """A clear 4xx, soon and in little memory."""
    said, seconds = asked(url, **params)
    figures: dict[str, Figure] = {"answer": said, "seconds": seconds, "peak MB": pocket.memory.peak_mb}
    return Outcome(said.startswith("4") and seconds < 10 and pocket.memory.peak_mb < PEAK_MB, figures)


@attack("TraceQL: a series for each of 100 000 spans")
def span_ids(checkout: Checkout) -> Outcome:
    with checkout.pocket() as pocket:
        push_spans(pocket, 100_000)
        return refused(
            pocket, pocket.url(3200, "/api/metrics/query_range"), q="{} | rate() by (span:id)", step="10"
        )


@attack("LogQL: the rate of 100 000 streams")
def streams(checkout: Checkout) -> Outcome:
    with checkout.pocket() as pocket:
        now = time.time_ns()
        push_logs(pocket, (({"app": "x", "n": str(n)}, now - n * 10**6, "line") for n in range(100_000)), 5_000)
        return refused(pocket, pocket.url(3100, "/loki/api/v1/query_range"), query='rate({app="x"}[5m])')


@attack("LogQL: a count over a million JSON lines")
def million(checkout: Checkout) -> Outcome:
    """Not refused: answered, several times faster than in the 26 s that it took."""
    with checkout.pocket() as pocket:
        push_logs(pocket, json_lines(1_000_000))
        query = 'sum(count_over_time({app="x"} | json | status="500" [1h]))'
        said, seconds = asked(pocket.url(3100, "/loki/api/v1/query"), query=query)
        right = said.startswith("200") and '"50000"' in said
        figures: dict[str, Figure] = {"answer": said, "seconds": seconds, "peak MB": pocket.memory.peak_mb}
        return Outcome(right and seconds < 9, figures)


# ---- abandoned
@attack("45 heavy queries at once, abandoned")
def abandoned(checkout: Checkout) -> Outcome:
    """While they wait and after they have gone, everything else answers."""
    with checkout.pocket() as pocket:
        push_logs(pocket, json_lines(100_000))
        callers = [heavy(pocket, n) for n in range(ABANDONED)]
        time.sleep(1)
        during = look(pocket, "with them: ", ("ready", "labels", "intake"))
        for caller in callers:
            caller.close()
        after = look(pocket, "abandoned: ", ("ready", "labels", "intake", "cheap query"))
        figures: dict[str, Figure] = {**during, **after, "peak MB": pocket.memory.peak_mb}
        alive = pocket.child.poll() is None
        quick = all(isinstance(value, float) and value < SOON_SECONDS for value in {**during, **after}.values())
        return Outcome(alive and quick and pocket.memory.peak_mb < 2 * PEAK_MB, figures)


def heavy(pocket: Pocket, number: int) -> socket.socket:
    """A query that was sent, and whose answer nobody reads."""
    query = quote(f'sum by (message) (count_over_time({{app="x"}} | json | line_format "{number}" [1h]))')
    caller = socket.create_connection(("127.0.0.1", 3100 + pocket.offset))
    caller.sendall(f"GET /loki/api/v1/query?query={query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return caller


def look(pocket: Pocket, when: str, what: Iterable[str]) -> dict[str, Figure]:
    """Seconds until each answers 2xx, asked one after the other."""
    entry = [[str(time.time_ns()), "line"]]
    ways: dict[str, Callable[[], httpx.Response]] = {
        "ready": lambda: httpx.get(pocket.url(3100, "/ready"), timeout=PATIENCE),
        "labels": lambda: httpx.get(pocket.url(3100, "/loki/api/v1/labels"), timeout=PATIENCE),
        "intake": lambda: httpx.post(
            pocket.url(3100, PUSH), json={"streams": [{"stream": {"app": "y"}, "values": entry}]}, timeout=PATIENCE
        ),
        "cheap query": lambda: httpx.get(
            pocket.url(9090, "/api/v1/query"), params={"query": "vector(1)"}, timeout=PATIENCE
        ),
    }
    return {f"{when}{name} s": seconds_until(ways[name]) for name in what}


def seconds_until(ask: Callable[[], httpx.Response]) -> Figure:
    began = time.monotonic()
    with contextlib.suppress(httpx.TransportError):
        if ask().is_success:
            return round(time.monotonic() - began, 2)
    return "no answer"
