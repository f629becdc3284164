"""A real stage 1 under real traffic, and a real browser that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
PATIENCE_MS = 60_000  # a machine with its hands full must not fail a test
POISON_TRACE = "badc0ffee0ddf00dbadc0ffee0ddf00d"
POISON = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'


def chromium_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Stage:
    """A running stage: `url(3000)` and the like by base port; `window` is the time of its traffic for a URL."""

    offset: int
    begin: float = field(default_factory=time.time)
    end: float = 0.0

    @property
    def window(self) -> str:
        """Fixed, so that a slow machine sees what a fast one sees: last values are those under traffic."""
        return f"from={int(self.begin * 1000)}&to={int(self.end * 1000)}&refresh=off"

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port + self.offset}"


def _workshop(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "WORKSHOP_", "PORT_OFFSET"))}
    command = [sys.executable, "-m", "workshop", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
    )


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory, next_offset: Callable[[], int]) -> Iterator[Stage]:
    """Stage 1 with some traffic behind it, a poisoned span and a poisoned log line."""
    if chromium_path() is None:
        pytest.skip("no Chromium here: apt-get install chromium, or let `make test` do it")
    offset = next_offset()
    where = ("--port-offset", str(offset), "--data-dir", str(tmp_path_factory.mktemp("stage")))
    up = _workshop("up", "1", "--detach", *where)
    assert up.returncode == 0, up.stdout + up.stderr
    try:
        stage = Stage(offset)
        _poison(stage)
        traffic = _workshop("traffic", "1", *where, "--", "--duration-seconds", "25", "--num-users", "6",
                            "--think-time-seconds", "0.1", "--max-rolls-per-user", "0")  # fmt: skip
        assert traffic.returncode == 0, traffic.stdout + traffic.stderr
        stage.end = time.time() + 10  # for the last scrape and the metrics made from spans
        _await_signals(stage)
        yield stage
    finally:
        down = _workshop("down", *where)
    assert down.returncode == 0, down.stdout + down.stderr


def _poison(stage: Stage) -> None:
    now = time.time_ns()
    event = {
        "timeUnixNano": str(now),
        "name": "exception",
        "attributes": [_attribute("exception.message", POISON)],
    }
    span = {
        "traceId": POISON_TRACE,
        "spanId": "badc0ffee0ddf00d",
        "name": POISON,
        "kind": 2,
        "startTimeUnixNano": str(now - 10**8),
        "endTimeUnixNano": str(now),
        "status": {"code": 2, "message": POISON},
        "attributes": [_attribute(POISON, POISON)],
        "events": [event],
    }
    resource = {"attributes": [_attribute("service.name", POISON)]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    httpx.post(f"{stage.url(4318)}/v1/traces", json=body).raise_for_status()
    line = json.dumps({"message": POISON, POISON: POISON, "trace_id": POISON_TRACE})
    push_line(stage, line, {"trace_id": POISON_TRACE})


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def push_line(stage: Stage, line: str, metadata: dict[str, str] | None = None) -> None:
    stream = {"service_name": "poison", "level": "error"}
    streams = [{"stream": stream, "values": [[str(time.time_ns()), line, metadata or {}]]}]
    httpx.post(f"{stage.url(3100)}/loki/api/v1/push", json={"streams": streams}).raise_for_status()


def _await_signals(stage: Stage) -> None:
    """Until span metrics and a profile are there: the slowest is the profiler's 10 to 15 s."""
    profile = {
        "profileTypeID": "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
        "labelSelector": '{service_name="dice-roller"}',
    }

    def has_profile() -> bool:
        begin, end = int(stage.begin * 1000), int(stage.end * 1000)
        url = f"{stage.url(4040)}/querier.v1.QuerierService/SelectMergeStacktraces"
        answer = httpx.post(url, json={**profile, "start": begin, "end": end}).json()
        return int(answer.get("flamegraph", {}).get("total", 0)) > 0

    def has_edge() -> bool:
        query = "rate(traces_service_graph_request_total[1m]) > 0"
        answer = httpx.get(f"{stage.url(9090)}/api/v1/query", params={"query": query, "time": stage.end}).json()
        return bool(answer["data"]["result"])

    for ready in (has_edge, has_profile):
        eventually(ready)


def eventually(ready: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"{ready.__name__} did not come true in {seconds} s"
        time.sleep(0.5)


@pytest.fixture(scope="package")
def browser(stage: Stage) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def contexts() -> dict[str, BrowserContext]:
    return {}


class Visit:
    """A page that notes what it should never see: console errors, exceptions, requests elsewhere."""

    def __init__(self, context: BrowserContext, stage: Stage) -> None:
        self.stage = stage
        self.base = stage.url(3000)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.may_be_refused = False
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error.name}: {error.message}"))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if self.may_be_refused and message.text.startswith("Failed to load resource"):
            return
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.elsewhere.append(request.url)

    def open(self, view: str) -> Page:
        self.page.goto(f"{self.base}/#/{view}")
        self.page.locator("#bar h1:not(:empty)").wait_for()
        return self.page


@pytest.fixture
def visit(
    browser: Browser, contexts: dict[str, BrowserContext], stage: Stage, request: pytest.FixtureRequest
) -> Iterator[Visit]:
    """Options of the browser context come as an indirect parameter; a clean console is part of every test."""
    options = {"viewport": {"width": 1280, "height": 860}, **getattr(request, "param", {})}
    if repr(options) not in contexts:
        contexts[repr(options)] = browser.new_context(**options)
    visit = Visit(contexts[repr(options)], stage)  # shared: plotly's 5 MB are loaded and compiled once
    yield visit
    visit.page.evaluate("localStorage.clear()")
    visit.page.close()
    assert visit.elsewhere == []
    assert visit.complaints == []


@pytest.fixture
def refused(visit: Visit) -> Visit:
    """A visit in which the browser may note failed requests on its console, and nothing else.

    Known from the start: the last refusal may come while the page is being closed.
    """
    visit.may_be_refused = True
    return visit
