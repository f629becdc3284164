"""Stage 6's audit: what was counted and never logged is a difference, too; a counter's restart is none."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "stage6/traffic-gen/usage_audit.py"
START, END = 10_000, 13_600
Samples = Sequence[tuple[float, int]]
Audit = Callable[..., dict[str, Any]]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    found = importlib.util.spec_from_file_location("usage_audit", SCRIPT)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, "usage_audit", module)  # where dataclasses look for it
    found.loader.exec_module(module)
    return module


@pytest.fixture
def audit(script: ModuleType) -> Audit:
    """Of these samples of the counter, and of log lines at these times, all of which are stored."""

    def of(samples: Samples, logged: Sequence[float], scrape_seconds: float = 0.0) -> dict[str, Any]:
        lines = [(at, {"event_id": str(number), "event": "roll"}) for number, at in enumerate(logged)]

        def answer(request: httpx.Request) -> httpx.Response:
            asked = request.url.params
            if "scrape_duration_seconds" in asked.get("query", ""):
                value = [float(asked["time"]), str(scrape_seconds)]
                return httpx.Response(200, json={"data": {"result": [{"metric": {}, "value": value}]}})
            if request.url.path.endswith("/query"):
                span = float(asked["query"].rpartition("[")[2].rstrip("s]"))
                now = float(asked["time"])
                values = [[at, str(value)] for at, value in samples if now - span < at <= now]
                return httpx.Response(200, json={"data": {"result": [{"metric": {}, "values": values}]}})
            if request.url.path.endswith("/query_range"):
                inside = [(at, line) for at, line in lines if int(asked["start"]) <= at * 1e9 < int(asked["end"])]
                values = [[str(int(at * 1e9)), json.dumps(line)] for at, line in inside]
                return httpx.Response(200, json={"data": {"result": [{"stream": {}, "values": values}]}})
            when = [{"occurred_at": datetime.fromtimestamp(at, UTC).isoformat(), **line} for at, line in lines]
            since = datetime.fromisoformat(asked["since"]).timestamp()
            stored = [event for (at, _), event in zip(lines, when, strict=True) if at >= since]
            return httpx.Response(200, json=stored)

        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            start, end = (datetime.fromtimestamp(at, UTC) for at in (START, END))
            found: dict[str, Any] = script.audit(client, start, end).as_dict()
            return found

    return of


def every_second(first: int, last: int) -> list[float]:
    return [at + 0.25 for at in range(first, last)]


def test_counted_and_logged_alike(audit: Audit) -> None:
    found = audit([(11_000, 0), (11_005, 3), (11_010, 8)], every_second(11_001, 11_009))
    assert (found["good"], found["counted"], found["lines"]) == (True, 8, 8)


def test_what_was_counted_and_never_logged_is_no_good(audit: Audit) -> None:
    found = audit([(11_000, 0), (11_300, 432)], every_second(11_001, 11_280))
    assert (found["good"], found["counted"], found["stored"], found["unlogged"]) == (False, 432, 279, 153)
    assert (found["missing"], found["unexpected"]) == ([], [])


def test_what_was_logged_and_never_counted_is_no_good(audit: Audit) -> None:
    found = audit([(11_000, 0), (11_300, 10)], every_second(11_001, 11_021))
    assert (found["good"], found["uncounted"], found["unlogged"]) == (False, 10, 0)


def test_a_restart_is_counted_on(audit: Audit) -> None:
    samples = [(11_000, 0), (11_010, 9), (11_020, 2), (11_030, 4)]
    found = audit(samples, every_second(11_001, 11_010) + every_second(11_020, 11_025))
    assert (found["counted"], found["restarts"], found["good"]) == (13, 1, True)  # one died uncounted
    assert not audit(samples, every_second(11_001, 11_010))["good"]


def test_the_window_begins_at_the_sample_before_it(audit: Audit) -> None:
    samples = [(START - 100, 500), (START - 2, 600), (START + 3, 604)]
    logged = [START - 50.0, START - 1.0, START + 1.0, START + 2.0]
    assert not audit(samples, logged)["good"]
    assert audit(samples, [*logged, START - 1.2])["good"]


def test_what_came_after_the_last_sample_is_not_held_against_it(audit: Audit) -> None:
    assert audit([(11_000, 0), (11_010, 5)], every_second(11_003, 11_008) + every_second(11_100, 11_200))["good"]


def test_a_sample_may_be_a_moment_late(audit: Audit) -> None:
    """Lines of half a second around it may be counted or not."""
    for counted in (3, 4, 5):
        assert audit([(11_000, 0), (11_010, counted)], [11_001, 11_002, 11_003, 11_009.9, 11_010.2])["good"]
    assert not audit([(11_000, 0), (11_010, 6)], [11_001, 11_002, 11_003, 11_009.9, 11_010.2])["good"]


def test_a_scrape_may_take_long(audit: Audit) -> None:
    """On a busy machine the counter is read seconds after the sample's time."""
    samples, logged = [(11_000, 0), (11_010, 5)], [11_003, 11_004, 11_005, 11_011, 11_012]
    assert not audit(samples, logged)["good"]
    assert audit(samples, logged, scrape_seconds=3.0)["good"]
    assert not audit(samples, logged, scrape_seconds=1.2)["good"]


def test_no_counter_at_all_is_no_good(audit: Audit) -> None:
    found = audit([], every_second(11_000, 11_003))
    assert (found["good"], found["counted"]) == (False, 0)
