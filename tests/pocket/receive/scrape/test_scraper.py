"""The scraper against a real HTTP server."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pocket.config import Settings
from pocket.receive.scrape import Job, Scraper
from pocket.receive.scrape.config import Target
from pocket.rows import STALE_NAN, Matcher
from pocket.store import Store

STALE = struct.pack("<d", STALE_NAN)
Answer = Callable[[], tuple[str, str]]


class Exposed:
    """A target whose answer a test can change; it remembers the Accept header."""

    def __init__(self) -> None:
        self.status, self.text, self.delay, self.accept = "200 OK", "a 1\nb 2\n", 0.0, ""
        self.port = 0
        self.handlers: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.handlers.add(task)
        try:
            await self.answer(reader, writer)
        except asyncio.IncompleteReadError:
            pass  # a connection that carried no request
        finally:
            writer.close()
            self.handlers.discard(task)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.accept = next(line for line in head.splitlines() if line.lower().startswith("accept:"))
        await asyncio.sleep(self.delay)
        body = self.text.encode()
        writer.write(
            f"HTTP/1.1 {self.status}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()


@pytest.fixture
async def exposed() -> AsyncIterator[Exposed]:
    target = Exposed()
    server = await asyncio.start_server(target.handle, "127.0.0.1", 0)
    target.port = server.sockets[0].getsockname()[1]
    yield target
    server.close()
    for handler in (pending := list(target.handlers)):
        handler.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


@pytest.fixture
def scraping(store: Store, exposed: Exposed, tmp_path: Path) -> Scraper:
    job = Job("j", 0.05, 1.0, (Target("svc", exposed.port, {"env": "dev"}), Target("gone", 1)))
    return Scraper(store, Settings(data_dir=tmp_path, hosts=("svc",), max_body_bytes=1 << 16), [job])


async def until(check: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110 - what is waited for is in the store
            await asyncio.sleep(0.02)


def last(store: Store, name: str) -> float | None:
    store.flush()
    found = store.metrics.select([Matcher("__name__", "=", name)], 0, 1 << 60)
    return float(found[0].values[-1]) if found else None


async def test_scrapes_and_tells_about_itself(scraping: Scraper, store: Store, exposed: Exposed) -> None:
    running = asyncio.create_task(scraping.run())
    await until(lambda: last(store, "b") == 2.0)
    [state] = scraping.targets()
    assert (state.health, state.last_error, state.scrape_pool) == ("up", "", "j")
    assert state.scrape_url == f"http://127.0.0.1:{exposed.port}/metrics"
    assert state.labels == {"instance": f"127.0.0.1:{exposed.port}", "job": "j", "env": "dev"}
    assert state.discovered_labels["__metrics_path__"] == "/metrics"
    assert exposed.accept.startswith("accept: application/openmetrics-text")
    assert last(store, "up") == 1.0
    assert last(store, "scrape_samples_scraped") == last(store, "scrape_samples_post_metric_relabeling") == 2.0
    [added] = store.metrics.select([Matcher("__name__", "=", "scrape_series_added")], 0, 1 << 60)
    assert added.values[0] == 2.0
    assert set(added.values[1:].tolist()) <= {0.0}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for name in ("a", "up", "scrape_duration_seconds"):
        assert struct.pack("<d", last(store, name) or 0) == STALE, name


async def test_a_series_that_vanishes_goes_stale(scraping: Scraper, store: Store, exposed: Exposed) -> None:
    running = asyncio.create_task(scraping.run())
    await until(lambda: last(store, "b") == 2.0)
    exposed.text = "a 5\n"
    await until(lambda: last(store, "a") == 5.0)
    assert struct.pack("<d", last(store, "b") or 0) == STALE
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"status": "500 Internal Server Error"}, "server returned HTTP status 500 Internal Server Error"),
        ({"text": "{{{"}, "ValueError"),
        ({"text": "a 1\n" * 20_000}, "body size limit exceeded"),
        ({"delay": 5.0}, "context deadline exceeded"),
    ],
)
async def test_a_target_that_fails_is_down_and_its_series_end(
    scraping: Scraper, store: Store, exposed: Exposed, change: dict[str, object], error: str
) -> None:
    running = asyncio.create_task(scraping.run())
    await until(lambda: last(store, "b") == 2.0)
    for name, value in change.items():
        setattr(exposed, name, value)
    await until(lambda: last(store, "up") == 0.0)
    [state] = scraping.targets()
    assert str(state.health) == "down"
    assert error in state.last_error
    assert struct.pack("<d", last(store, "a") or 0) == STALE
    assert store.own_metrics.value("pocket_scrape_failures_total") >= 1
    exposed.status, exposed.text, exposed.delay = "200 OK", "a 7\n", 0.0
    await until(lambda: last(store, "a") == 7.0)
    assert state.health == "up"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
