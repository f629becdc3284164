"""Queries end: at their deadline, when the caller goes, when too many wait; each component in its own words."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message

from pocket.api import loki, prometheus, pyroscope, tempo
from pocket.api.queries import Queries
from pocket.budget import Budget, Busy, Cancelled, Stopped, TimedOut, TooMuch, current, spending
from pocket.config import Settings
from pocket.query.errors import Ended
from pocket.rows import LogEntry, ProfileSample, Sample, Span
from pocket.store import Store

NOW = 1_700_000_000
ENDLESS_SQL = "select count(*) from range(10000000) a, range(10000000) b where a.range * b.range % 7 = 3"
PROFILE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
WORDS = {kind: lambda kind=kind: Ended(kind.__name__, 418) for kind in (TimedOut, Cancelled, TooMuch, Busy)}


class Endless:
    """A store whose rows never end; `working` counts the threads that are in it."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.working = 0
        monkeypatch.setattr(store.logs, "select", self._rows(LogEntry({"app": "x"}, NOW * 10**9, "line")))
        span = Span("1" * 32, "1" * 16, "", "work", 1, NOW * 10**9, NOW * 10**9 + 1)
        monkeypatch.setattr(store.traces, "newest", self._rows([span]))
        sample = ProfileSample(PROFILE, {"service_name": "x"}, NOW * 1000, ("main",), 1)
        monkeypatch.setattr(store.profiles, "select", self._rows(sample))
        monkeypatch.setattr(store.metrics, "select", lambda *_: self._sql(store))

    def _rows(self, row: Any) -> Callable[..., Iterator[Any]]:
        def rows(*_: Any, **__: Any) -> Iterator[Any]:
            self.working += 1
            try:
                while True:
                    current().check()  # as the store does at every page
                    yield row
            finally:
                self.working -= 1

        return rows

    def _sql(self, store: Store) -> list[Any]:
        self.working += 1
        try:
            return store._database.query(ENDLESS_SQL)
        finally:
            self.working -= 1

    def await_working(self, count: int) -> None:
        deadline = time.monotonic() + 20
        while self.working != count:
            assert time.monotonic() < deadline, f"{self.working} threads are at work, not {count}"
            time.sleep(0.01)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(Settings(tmp_path))
    opened.append_samples([Sample({"__name__": "a"}, NOW * 1000, 1.0)])
    opened.flush()
    yield opened
    opened.close()


@pytest.fixture
def endless(store: Store, monkeypatch: pytest.MonkeyPatch) -> Endless:
    return Endless(store, monkeypatch)


APPS: dict[str, Callable[..., ASGIApp]] = {
    "loki": loki.app, "prometheus": prometheus.app, "tempo": tempo.app, "pyroscope": pyroscope.app,
}  # fmt: skip
SELECT = "/querier.v1.QuerierService/SelectMergeStacktraces"
SELECTED = {"profileTypeID": PROFILE, "labelSelector": "{}", "start": str(NOW * 1000 - 1), "end": str(NOW * 1000)}
# Of each engine: a query that never ends, and what the component says of it.
QUERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "loki": ("/loki/api/v1/query", {"params": {"query": 'sum(rate({app="x"} | json [1h]))', "time": NOW}}),
    "prometheus": ("/api/v1/query", {"params": {"query": "a + a", "time": NOW}}),
    "tempo": ("/api/search", {"params": {"q": "{ false }", "start": NOW - 1, "end": NOW + 1}}),
    "pyroscope": (SELECT, {"json": SELECTED}),
}
LOKI_LATE = (
    "request timed out, decrease the duration of the request or add more label matchers "
    "(prefer exact match over regex match) to reduce the amount of data processed"
)
LATE: dict[str, tuple[int, Any]] = {
    "loki": (504, LOKI_LATE),
    "prometheus": (
        503, {"status": "error", "errorType": "timeout", "error": "query timed out in expression evaluation"},
    ),
    "tempo": (504, "context deadline exceeded"),
    "pyroscope": (504, {"code": "deadline_exceeded", "message": "context deadline exceeded"}),
}  # fmt: skip
FULL: dict[str, tuple[int, Any]] = {
    "loki": (429, "too many outstanding requests"),
    "prometheus": (
        429, {"status": "error", "errorType": "too_many_requests", "error": "too many outstanding requests"},
    ),
    "tempo": (429, "too many outstanding requests"),
    "pyroscope": (429, {"code": "resource_exhausted", "message": "too many outstanding requests"}),
}  # fmt: skip


def built(name: str, store: Store, settings: Settings) -> tuple[ASGIApp, Queries]:
    queries = Queries(settings)
    return APPS[name](store, settings, queries=queries), queries


async def ask(app: ASGIApp, name: str) -> tuple[int, Any]:
    path, given = QUERIES[name]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pocket") as client:
        answer = await (client.post(path, **given) if "json" in given else client.get(path, **given))
    return answer.status_code, answer.json() if "json" in answer.headers["content-type"] else answer.text


@pytest.mark.parametrize("name", APPS)
def test_the_time_out_stops_the_work_and_says_so_in_the_components_words(
    name: str, store: Store, endless: Endless
) -> None:
    app, queries = built(name, store, Settings(Path(), query_seconds=0.3))
    assert asyncio.run(ask(app, name)) == LATE[name]
    endless.await_working(0)
    queries.close()


@pytest.mark.parametrize("name", APPS)
def test_a_caller_that_goes_takes_its_query_along(name: str, store: Store, endless: Endless) -> None:
    app, queries = built(name, store, Settings(Path()))
    asyncio.run(hang_up(app, name, lambda: endless.working == 1))
    endless.await_working(0)
    queries.close()


async def hang_up(app: ASGIApp, name: str, when: Callable[[], bool]) -> None:
    """The ASGI server's side of a connection that closes."""
    path, given = QUERIES[name]
    request = httpx.Request("POST" if "json" in given else "GET", f"http://pocket{path}", **given)
    body = [{"type": "http.request", "body": request.read(), "more_body": False}]

    async def receive() -> Message:
        if body:
            return body.pop()
        while not when():  # noqa: ASYNC110 - what is waited for is in a thread
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    scope = {
        "type": "http", "http_version": "1.1", "method": request.method, "path": path, "root_path": "",
        "query_string": request.url.query, "headers": [(k.lower(), v) for k, v in request.headers.raw],
    }  # fmt: skip
    await asyncio.wait_for(app(scope, receive, send), 20)


@pytest.mark.parametrize("name", APPS)
def test_more_than_may_wait_are_refused(name: str, store: Store, endless: Endless) -> None:
    settings = Settings(Path(), query_workers=1, query_waiting=1, query_seconds=3)

    async def crowd() -> list[tuple[int, Any]]:
        app, queries = built(name, store, settings)
        answers = await asyncio.gather(*(ask(app, name) for _ in range(4)))
        queries.close()
        return answers

    answers = asyncio.run(crowd())
    assert sorted(answer[0] for answer in answers) == sorted([LATE[name][0]] * 2 + [429] * 2)
    assert FULL[name] in answers
    endless.await_working(0)


def test_lookups_do_not_wait_behind_queries(store: Store, endless: Endless) -> None:
    settings = Settings(Path(), query_workers=1, query_seconds=20)

    async def crowd() -> int:
        app, queries = built("loki", store, settings)
        waiting = [asyncio.create_task(ask(app, "loki")) for _ in range(5)]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pocket") as client:
            found = await asyncio.wait_for(client.get("/loki/api/v1/labels"), 10)
        queries.end()
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        queries.close()
        return found.status_code

    assert asyncio.run(crowd()) == 200


def test_prometheus_timeout_parameter_is_the_smaller_of_two(store: Store, endless: Endless) -> None:
    app, queries = built("prometheus", store, Settings(Path(), query_seconds=20))

    async def impatient() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pocket") as client:
            asked = client.get("/api/v1/query", params={"query": "a", "time": NOW, "timeout": "300ms"})
            return (await asyncio.wait_for(asked, 10)).status_code

    assert asyncio.run(impatient()) == 503
    endless.await_working(0)
    queries.close()


# ---- the way itself
def run(queries: Queries, work: Callable[[], Any]) -> Any:
    async def waited() -> Any:
        stays = asyncio.create_task(asyncio.sleep(3600))
        try:
            return await queries.run(stays, WORDS, work)  # type: ignore[arg-type]
        finally:
            stays.cancel()

    return asyncio.run(waited())


def test_a_query_that_runs_out_of_memory_is_refused_and_the_thread_lives(tmp_path: Path) -> None:
    queries = Queries(Settings(tmp_path, query_workers=1))

    def greedy() -> None:
        raise MemoryError

    with pytest.raises(Ended, match="TooMuch"):
        run(queries, greedy)
    assert run(queries, threading.get_ident) != threading.get_ident()
    queries.close()


def test_a_process_beyond_its_ceiling_ends_queries(tmp_path: Path) -> None:
    queries = Queries(Settings(tmp_path, memory_bytes=1))
    with pytest.raises(Ended, match="TooMuch"):
        run(queries, lambda: None)
    queries.close()


def test_what_the_work_raises_comes_out(tmp_path: Path) -> None:
    queries = Queries(Settings(tmp_path))
    with pytest.raises(KeyError):
        run(queries, lambda: dict[str, int]()["a"])
    queries.close()


def test_closing_ends_what_runs(store: Store, endless: Endless) -> None:
    queries = Queries(Settings(Path()))

    async def closed() -> str:
        stays = asyncio.create_task(asyncio.sleep(3600))
        asked = asyncio.create_task(queries.run(stays, WORDS, lambda: list(store.logs.select((), 0, 1))))  # type: ignore[arg-type]
        while not endless.working:  # noqa: ASYNC110 - what is waited for is in a thread
            await asyncio.sleep(0.01)
        await asyncio.to_thread(queries.close)
        stays.cancel()
        with pytest.raises(Ended) as ended:
            await asked
        return ended.value.message

    assert asyncio.run(closed()) == "Cancelled"
    endless.await_working(0)


@pytest.mark.parametrize("reason", [TimedOut, Cancelled])
def test_a_statement_is_interrupted(store: Store, reason: type[Stopped]) -> None:
    budget = Budget()
    threading.Timer(0.2, budget.stop, [reason]).start()
    with spending(budget), pytest.raises(reason):
        store._database.query(ENDLESS_SQL)
    assert store._database.query("select 1") == [(1,)]


def test_a_statement_without_memory_is_too_much(store: Store) -> None:
    with pytest.raises(TooMuch):
        store._database.query("select list(range) from range(1000000000)")
    assert store._database.query("select 1") == [(1,)]
