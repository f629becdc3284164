"""The process: every port on loopback, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from pocket import process_memory, ui
from pocket.addresses import LOOPBACK, PORTS, url
from pocket.admission.bounds import Bounds
from pocket.api import loki, prometheus, pyroscope, tempo
from pocket.api.queries import Queries
from pocket.asgi.body import BodyLimit, Refuse, plain
from pocket.asgi.head import BoundedHead
from pocket.asgi.origin import OwnPages
from pocket.config import Settings
from pocket.derive import Generator
from pocket.receive import loki as loki_push
from pocket.receive import pyroscope as pyroscope_push
from pocket.receive.otlp import grpc as otlp_grpc
from pocket.receive.otlp import http as otlp_http
from pocket.receive.otlp.receiver import Receiver
from pocket.receive.scrape import Job, Scraper, TargetState, load
from pocket.receive.scrape.config import Target
from pocket.route import UsageQueue, UsageRoute, container_sink, push_sink
from pocket.store import Store

log = logging.getLogger(__name__)

_SELF_INTERVAL, _SELF_TIMEOUT = 5.0, 4.0


class PortTakenError(Exception):
    """A port cannot be bound; the message names it and its component."""


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the process handles them, once for all servers


class Pocket:
    """Store, receivers, scraper, generator and servers. `run` serves until SIGTERM or SIGINT."""

    def __init__(self, settings: Settings) -> None:
        """Raises PortTakenError, ConfigError or StoreError, each with one line that says what to do."""
        self._settings = settings
        jobs = load(settings.prometheus_config) if settings.prometheus_config else []
        self._sockets = {name: _bind(name, settings.port(name)) for name in _HTTP}
        _bind(_GRPC, settings.port(_GRPC)).close()  # gRPC would say it in its own words
        self._store = store = Store(settings)
        self._queries = Queries(settings)
        self._scraper = Scraper(store, settings, [*jobs, _own_job(settings.port("prometheus"))])
        self._generator = Generator(store, settings.peers)
        self._receiver = Receiver(store, settings, self._generator.add)
        queue = UsageQueue(settings.data_dir / "pocket" / "usage.sqlite") if settings.usage_endpoint else None
        self._usage, self._queue = UsageRoute(store, queue, settings.usage_endpoint), queue
        self._gauges()

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT; everything received is on disk when it returns."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        grpc_server = otlp_grpc.server(
            self._receiver, f"{LOOPBACK}:{self._settings.port(_GRPC)}", self._settings.max_body_bytes
        )
        await grpc_server.start()
        servers = {name: _server(app) for name, app in self._apps().items()}
        serving = [asyncio.create_task(s.serve([self._sockets[name]])) for name, s in servers.items()]
        jobs = [asyncio.create_task(job) for job in self._jobs()]
        # What is loaded stays; short-lived rows need no search for cycles (35 % of the decoding otherwise).
        gc.freeze()
        gc.set_threshold(100_000, 20, 50)
        await _started(servers.values(), serving)
        log.info("ready: %s", url("grafana", self._settings.port_offset))
        await _first(stop, [*jobs, *serving])
        await _cancel(jobs)
        for server in servers.values():
            server.should_exit = True
        await grpc_server.stop(1)
        self._queries.end()  # else their callers are waited for
        await asyncio.gather(*serving)
        self._close()

    def _jobs(self) -> list[Coroutine[Any, Any, None]]:
        return [self._scraper.run(), self._generator.run(), self._usage.run(), process_memory.give_back()]

    def _close(self) -> None:
        self._queries.close()
        self._generator.write()
        self._store.close()
        if self._queue is not None:
            self._queue.close()
        gc.unfreeze()  # else DuckDB's bindings find their objects alive at exit, and complain
        log.info("stopped, everything received is on disk")

    def _apps(self) -> dict[str, ASGIApp]:
        """The application of every HTTP port."""
        store, settings, limit = self._store, self._settings, self._settings.max_body_bytes
        bounds: Callable[[], Bounds] = lambda: Bounds.now(settings)  # noqa: E731
        apis = {
            "prometheus": prometheus.app(store, settings, self._scraper.targets, self._queries),
            "loki": loki.app(store, settings, self._queries),
            "tempo": tempo.app(store, settings, self._queries),
            "pyroscope": pyroscope.app(store, settings, self._queries),
        }
        own = Route("/metrics", self._metrics)
        container = container_sink(store, bounds, self._usage)
        return {
            "grafana": _bounded(ui.app(settings, apis), limit),
            "prometheus": _join([own], apis["prometheus"], limit),
            "loki": _join(loki_push.routes(push_sink(store, bounds), limit), apis["loki"], limit),
            "tempo": _bounded(apis["tempo"], limit),
            "pyroscope": _join(
                pyroscope_push.routes(store, bounds, limit),
                apis["pyroscope"], limit,
                pyroscope_push.refuse,
            ),
            "otlp-http": _bounded(Starlette(routes=otlp_http.routes(self._receiver)), limit, otlp_http.refuse),
            "alloy": _bounded(Starlette(routes=[_ready(), *loki_push.routes(container, limit)]), limit),
        }  # fmt: skip

    async def _metrics(self, request: Request) -> Response:
        body, content_type = self._store.own_metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    def _gauges(self) -> None:
        store, targets = self._store, self._scraper.targets
        for name, help_, value in (
            ("pocket_store_bytes", "Size of the store's files.", store.size_bytes),
            (
                "pocket_store_queue_bytes",
                "Estimated size of what waits to be written.",
                lambda: store.queued_bytes,
            ),
            ("pocket_store_series", "Time series in the store.", lambda: len(store.metrics.index.values)),
            ("pocket_usage_queue_length", "Usage events not yet acknowledged.", lambda: self._usage.waiting),
            ("pocket_scrape_targets", "Targets scraped.", lambda: len(targets())),
            ("pocket_scrape_targets_down", "Targets whose last scrape failed.", lambda: _down(targets())),
        ):
            store.own_metrics.gauge(name, help_, value)


def _down(targets: Sequence[TargetState]) -> int:
    return sum(target.health == "down" for target in targets)


_GRPC = "otlp-grpc"
_HTTP = tuple(name for name in PORTS if name != _GRPC)


def _own_job(port: int) -> Job:
    """The pocket stack's own metrics."""
    return Job("pocket", _SELF_INTERVAL, _SELF_TIMEOUT, (Target("localhost", port),))


def _bind(component: str, port: int) -> socket.socket:
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((LOOPBACK, port))
        server.listen(512)
    except OSError as error:
        server.close()
        raise PortTakenError(
            f"port {port} ({component}) is in use: stop what listens there, or choose another --port-offset"
        ) from error
    return server


def _join(routes: Sequence[BaseRoute], api: Starlette, limit: int, refuse: Refuse = plain) -> ASGIApp:
    return _bounded(Starlette(routes=[*routes, Mount("/", api)]), limit, refuse)


def _bounded(app: ASGIApp, limit: int, refuse: Refuse = plain) -> ASGIApp:
    return OwnPages(BodyLimit(app, limit, refuse))


def _ready() -> Route:
    async def ready(_: Request) -> PlainTextResponse:
        return PlainTextResponse("Alloy is ready.\n")

    return Route("/-/ready", ready)


def _server(app: ASGIApp) -> _Uvicorn:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", log_config=None, timeout_graceful_shutdown=2,
        server_header=False, http=BoundedHead,
    )  # fmt: skip
    return _Uvicorn(config)


async def _started(servers: Iterable[uvicorn.Server], serving: list[asyncio.Task[None]]) -> None:
    while not all(server.started for server in servers) and not any(task.done() for task in serving):  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # uvicorn has a flag, no event


async def _first(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Until asked to stop; a task that fails brings the process down with its error, rather than leave it lame."""
    waiting = asyncio.create_task(stop.wait())
    watched: set[asyncio.Task[Any]] = {waiting, *tasks}
    while not stop.is_set():
        done, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
