"""The services: more than they can serve, callers from elsewhere, calls that end badly, values no calendar has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.attacks.attack import Figure, Outcome, attack
from tests.attacks.checkout import Checkout, Stage

ROLLER, DIE_SERVICE, USAGE, PROMETHEUS, TEMPO = 8001, 8002, 8003, 9090, 3200
GIVE_UP_SECONDS = 60.0
QUICK_SECONDS = 5.0  # for a refusal, while a thousand are refused on two busy cores
EDGE_SECONDS = 30.0  # ten until a call without its server's span is an edge, then the metrics' way
FILES, USERS = 256, 80
Answer = tuple[str, float]  # status, seconds


async def get(port: int, path: str) -> Answer:
    """On a connection of its own: a client with a pool would be the bottleneck."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
            said = await reader.read()
            writer.close()
        status = said.split(b" ", 2)[1].decode() if said else "no answer"
    except (OSError, TimeoutError) as error:
        status = type(error).__name__
    return status, time.monotonic() - began


async def burst(port: int, path: str, count: int) -> tuple[list[Answer], list[Answer]]:
    """The answers, and those of /healthz, which is asked all the while."""
    health: list[Answer] = []

    async def ask_health() -> None:
        while True:
            health.append(await get(port, "/healthz"))
            await asyncio.sleep(0.05)

    asking = asyncio.create_task(ask_health())
    await asyncio.sleep(0.5)
    answers = await asyncio.gather(*(get(port, path) for _ in range(count)))
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    return answers, health


def at_once(checkout: Checkout, count: int) -> Outcome:
    """Some are served, the others told so soon; nobody is answered after his time-out, and health checks pass."""
    with checkout.stage(3) as stage:
        asyncio.run(burst(ROLLER + stage.offset, "/roll?die=fair", 20))  # connections, caches
        answers, health = asyncio.run(burst(ROLLER + stage.offset, "/roll?die=fair", count))
    by = Counter(status for status, _ in answers)
    refused = [seconds for status, seconds in answers if status == "503"]
    slowest = sorted(seconds for _, seconds in health)
    figures: dict[str, Figure] = {
        "by status": " ".join(f"{status}:{number}" for status, number in sorted(by.items())),
        "503 median s": round(statistics.median(refused), 2) if refused else "–",
        "all seconds": round(max(seconds for _, seconds in answers), 1),
        "healthz p99 s": round(slowest[int(len(slowest) * 0.99)], 2) if slowest else "none in time",
    }
    served = by["200"] > 0 and set(by) <= {"200", "503"}
    return Outcome(served and (not refused or statistics.median(refused) < QUICK_SECONDS), figures)


@attack("services: 500 rolls at once")
def rolls_500(checkout: Checkout) -> Outcome:
    return at_once(checkout, 500)


@attack("services: 1,000 rolls at once")
def rolls_1000(checkout: Checkout) -> Outcome:
    return at_once(checkout, 1000)


@attack("services: an image on a foreign page asks the query APIs")
def foreign_image(checkout: Checkout) -> Outcome:
    asked = {9090: "/api/v1/query?query=vector(1)", 3100: "/loki/api/v1/labels", 3200: "/api/search?q={}"}
    image = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    with checkout.pocket() as pocket:
        foreign = [httpx.get(pocket.url(*each), headers=image).status_code for each in asked.items()]
        own = [httpx.get(pocket.url(*each)).status_code for each in asked.items()]
    figures: dict[str, Figure] = {"image": " ".join(map(str, foreign)), "program": " ".join(map(str, own))}
    return Outcome(set(foreign) == {403} and set(own) == {200}, figures)


@attack("services: a name rebound to 127.0.0.1")
def rebound(checkout: Checkout) -> Outcome:
    with checkout.stage(2) as stage:
        ports = {"roller": ROLLER, "frontend": 8501}
        evil = {
            name: httpx.get(stage.url(port, "/metrics"), headers={"host": f"evil.example:{port}"}).status_code
            for name, port in ports.items()
        }
        own = [httpx.get(stage.url(port, "/metrics")).status_code for port in ports.values()]
    figures: dict[str, Figure] = {**evil, "own": " ".join(map(str, own))}
    return Outcome(min(evil.values()) >= 400 and set(own) == {200}, figures)


@attack("services: a call of a service that hangs")
def hanging(checkout: Checkout) -> Outcome:
    """Its span is red and says why; the service graph has the failed edge."""
    with checkout.stage(3) as stage:
        httpx.get(stage.url(ROLLER, "/roll?die=fair"), timeout=10)
        pid = stage.service("die-service")["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            status = httpx.get(stage.url(ROLLER, "/roll?die=fair"), timeout=10).status_code
            errors, failed = told(stage)
        finally:
            os.kill(pid, signal.SIGCONT)
    figures: dict[str, Figure] = {"status": status, "error.type": ", ".join(errors) or "–", "failed edges": failed}
    return Outcome(status == 504 and bool(errors) and failed > 0, figures)


def told(stage: Stage) -> tuple[list[str], float]:
    """The error.type of the red client spans, and the failed calls of die-service, once both are there."""
    deadline = time.monotonic() + EDGE_SECONDS
    errors: list[str] = []
    failed = 0.0
    while not (errors and failed) and time.monotonic() < deadline:
        time.sleep(1)
        query = '{resource.service.name="dice-roller" && kind=client && status=error} | select(span.error.type)'
        traces = httpx.get(stage.url(TEMPO, "/api/search"), params={"q": query}, timeout=10).json()["traces"]
        errors = sorted({value for trace in traces for value in attributes(trace, "error.type")})
        edge = 'sum(traces_service_graph_request_failed_total{client="dice-roller",server="die-service"})'
        answer = httpx.get(stage.url(PROMETHEUS, "/api/v1/query"), params={"query": edge}, timeout=10).json()
        failed = sum(float(each["value"][1]) for each in answer["data"]["result"])
    return errors, failed


def attributes(trace: dict[str, Any], name: str) -> Iterator[str]:
    for spans in trace["spanSets"]:
        for span in spans["spans"]:
            for each in span.get("attributes", []):
                if each["key"] == name:
                    yield each["value"]["stringValue"]


@attack("services: usage events since the year 1, east of Greenwich")
def beyond_the_calendar(checkout: Checkout) -> Outcome:
    queries = {
        "year 0": "since=0001-01-01T00:00:00%2B23:59",
        "a number": "since=1700000000",
        "limit 1_0": "limit=1_0",
    }
    with checkout.stage(6) as stage:
        answers = {name: httpx.get(stage.url(USAGE, f"/usage/events?{q}")) for name, q in queries.items()}
    figures: dict[str, Figure] = {name: answer.status_code for name, answer in answers.items()}
    return Outcome({answer.status_code for answer in answers.values()} == {422}, figures)


@contextlib.contextmanager
def files_limited_to(number: int) -> Iterator[None]:
    """This process and those that it starts; may be raised by them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@attack("services: 80 users where 256 files may be open")
def few_files(checkout: Checkout) -> Outcome:
    with files_limited_to(FILES), checkout.stage(2) as stage:
        script = checkout.root / "stage2" / "traffic-gen" / "generate_traffic.py"
        users = ("--num-users", str(USERS), "--duration-seconds", "20", "--think-time-seconds", "0.1")
        run = subprocess.run(
            [checkout.python, str(script), *users],
            env={**os.environ, "PORT_OFFSET": str(stage.offset)}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        logs = "".join(path.read_text(errors="replace") for path in Path(stage.data).glob("logs/*.log"))
    complaints = (logs + run.stderr + run.stdout).count("Too many open files")
    return Outcome(
        complaints == 0 and run.returncode == 0, {"complaints": complaints, "exit code": run.returncode}
    )
