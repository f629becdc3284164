"""The usage route against a real HTTP receiver that fails in every way there is."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvicorn
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pocket.admission.bounds import Bounds
from pocket.admission.log_entries import Sink
from pocket.asgi.body import BodyError
from pocket.config import Settings
from pocket.route import UsageQueue, UsageRoute, container_sink, usage
from pocket.rows import LogEntry
from pocket.store import Store, StoreError

PORT = 25_803 + os.getpid() % 300  # two runs of the suite side by side keep apart


class Receiver:
    """usage-service as the route sees it; `refuse` gives the status of a request's bodies."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.requests = 0
        self.refuse: Callable[[list[str]], int] = lambda _: 200
        self.last = ExportLogsServiceRequest()

    async def take(self, request: Request) -> Response:
        self.requests += 1
        assert request.headers["content-type"] == "application/x-protobuf"
        self.last = ExportLogsServiceRequest.FromString(await request.body())
        records = self.last.resource_logs[0].scope_logs[0].log_records
        bodies = [record.body.string_value for record in records]
        status = self.refuse(bodies)
        if status == 200:
            self.bodies += bodies
        return Response(status_code=status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    target = Receiver()
    app = Starlette(routes=[Route("/v1/logs", target.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=PORT, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    yield target
    server.should_exit = True
    await serving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "FIRST_BACKOFF", 0.01)
    monkeypatch.setattr(usage, "MAX_BACKOFF", 0.05)


@pytest.fixture
async def route(tmp_path: Path) -> AsyncIterator[tuple[UsageRoute, UsageQueue, Store]]:
    store, queue = Store(Settings(data_dir=tmp_path)), UsageQueue(tmp_path / "usage.sqlite")
    yield UsageRoute(store, queue, f"http://127.0.0.1:{PORT}/v1/logs"), queue, store
    queue.close()
    store.close()


def entry(text: str) -> LogEntry:
    return LogEntry({"service_name": "frontend"}, 5, text, {"trace_id": "ab"})


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110 - what is waited for is a file
            await asyncio.sleep(0.01)


def delivered(store: Store) -> float:
    return store.own_metrics.value("pocket_usage_delivered_total")


async def test_delivered_as_otlp_logs(route: tuple[UsageRoute, UsageQueue, Store], receiver: Receiver) -> None:
    usage_route, queue, store = route
    running = asyncio.create_task(usage_route.run())
    usage_route.put([entry("one"), entry("two")])
    await until(lambda: len(queue) == 0)
    usage_route.put([entry("three")])
    await until(lambda: delivered(store) == 3)
    assert receiver.bodies == ["one", "two", "three"]
    record = receiver.last.resource_logs[0].scope_logs[0].log_records[0]
    assert record.time_unix_nano == 5
    assert {a.key: a.value.string_value for a in record.attributes} == {
        "service_name": "frontend",
        "trace_id": "ab",
    }
    running.cancel()


async def test_nothing_is_lost_while_the_receiver_fails(
    route: tuple[UsageRoute, UsageQueue, Store], receiver: Receiver
) -> None:
    usage_route, queue, _ = route
    statuses = iter([503, 500, 404, 429, 302])
    receiver.refuse = lambda _: next(statuses, 200)
    running = asyncio.create_task(usage_route.run())
    usage_route.put([entry(str(n)) for n in range(500)])
    await until(lambda: len(queue) == 0)
    assert receiver.bodies == [str(n) for n in range(500)]
    assert receiver.requests == 5 + 3
    running.cancel()


async def test_a_full_disk_does_not_end_the_route(
    route: tuple[UsageRoute, UsageQueue, Store], receiver: Receiver
) -> None:
    usage_route, queue, store = route
    running = asyncio.create_task(usage_route.run())
    usage_route.put([entry("one")])
    queue._db.execute("pragma query_only = on")
    await until(lambda: receiver.bodies.count("one") > 1)
    assert (len(queue), delivered(store), running.done()) == (1, 0, False)
    queue._db.execute("pragma query_only = off")
    await until(lambda: delivered(store) == 1)
    assert len(queue) == 0
    running.cancel()


async def test_an_event_that_is_refused_for_good_does_not_block_the_others(
    route: tuple[UsageRoute, UsageQueue, Store], receiver: Receiver
) -> None:
    usage_route, queue, store = route
    receiver.refuse = lambda bodies: 400 if "bad" in bodies else 200
    running = asyncio.create_task(usage_route.run())
    usage_route.put([entry(text) for text in ("a", "b", "bad", "c", "d", "e", "f")])
    await until(lambda: len(queue) == 0)
    assert sorted(receiver.bodies) == ["a", "b", "c", "d", "e", "f"]
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "usage", "reason": "refused_400"}
        )
        == 1
    )
    running.cancel()


async def test_events_wait_for_a_receiver_that_is_not_there(
    route: tuple[UsageRoute, UsageQueue, Store], tmp_path: Path
) -> None:
    usage_route, queue, store = route
    running = asyncio.create_task(usage_route.run())
    usage_route.put([entry("one")])
    await asyncio.sleep(0.2)
    assert (len(queue), usage_route.waiting, delivered(store)) == (1, 1, 0)
    assert not running.done()
    running.cancel()


def container(route: tuple[UsageRoute, UsageQueue, Store], settings: Settings) -> Sink:
    return container_sink(route[2], lambda: Bounds.now(settings), route[0])


async def test_only_usage_lines_are_queued_and_all_are_stored(
    route: tuple[UsageRoute, UsageQueue, Store], tmp_path: Path, now: int
) -> None:
    _, queue, store = route
    lines = [{"usage": True, "n": 1}, {"usage": False}, {"usage": "true"}, {"n": 2}, {"usage": 1}]
    entries = [LogEntry({"compose_service": "x"}, now + i, json.dumps(line), {}) for i, line in enumerate(lines)]
    await container(route, Settings(data_dir=tmp_path))(entries)
    # No flush here: when the sink returns, both are on disk.
    assert store.logs.stats([], 0, 1 << 62)["entries"] == 5
    assert [json.loads(body)["line"] for _, body in queue.oldest(9)] == [
        json.dumps(lines[0]),
        json.dumps(lines[2]),
    ]


async def test_a_full_queue_slows_the_logs_down_and_loses_nothing(
    tmp_path: Path, receiver: Receiver, now: int
) -> None:
    store, queue = Store(Settings(data_dir=tmp_path)), UsageQueue(tmp_path / "usage.sqlite", limit=2)
    usage_route = UsageRoute(store, queue, f"http://127.0.0.1:{PORT}/v1/logs")
    sink = container_sink(store, lambda: Bounds.now(Settings(data_dir=tmp_path)), usage_route)
    lines = [json.dumps({"usage": True, "n": n}) for n in range(3)]
    entries = [LogEntry({"compose_service": "x"}, now + n, line, {}) for n, line in enumerate(lines)]
    await sink(entries[:2])
    with pytest.raises(BodyError, match="queue is full") as refused:
        await sink(entries[2:])
    assert refused.value.status == 503  # the shipper sends them again
    await sink([LogEntry({"compose_service": "x"}, now, "no event", {})])
    assert store.logs.stats([], 0, 1 << 62)["entries"] == 3  # of what was refused, nothing
    running = asyncio.create_task(usage_route.run())
    await until(lambda: not queue.full)
    await sink(entries[2:])
    await until(lambda: delivered(store) == 3)
    assert receiver.bodies == lines
    running.cancel()
    queue.close()
    store.close()


async def test_lines_that_are_not_on_disk_are_not_acknowledged(
    route: tuple[UsageRoute, UsageQueue, Store], tmp_path: Path, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full() -> None:
        raise StoreError("pocket.duckdb cannot be written: No space left on device")

    monkeypatch.setattr(route[2], "durable", full)
    with pytest.raises(BodyError, match="No space left on device") as refused:
        await container(route, Settings(data_dir=tmp_path))([LogEntry({"compose_service": "x"}, now, "line", {})])
    assert refused.value.status == 503  # the shipper sends them again
    assert route[2].own_metrics.value("pocket_refused_total", signal="logs") == 1
    assert b"pocket_dropped_total{" not in route[2].own_metrics.exposition("")[0]


async def test_without_an_endpoint_nothing_waits(tmp_path: Path) -> None:
    store = Store(Settings(data_dir=tmp_path))
    usage_route = UsageRoute(store, None, None)
    usage_route.put([entry("x")])
    await usage_route.run()
    assert usage_route.waiting == 0
    store.close()
