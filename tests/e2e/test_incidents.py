"""incidents.md on a running stage 6: each incident is caused as it says, its trail has answers, and it ends."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)\n```$", re.M | re.S)
PATIENCE_SECONDS = 60
BEFORE_SECONDS = 15  # what was there then is no sign of an incident
pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Incident:
    title: str
    cause: str
    queries: tuple[tuple[str, str], ...]  # language, text
    looks: tuple[str, ...]  # further commands of the trail
    end: str

    def __str__(self) -> str:
        return self.title


def incidents() -> list[Incident]:
    _, *sections = re.split(r"^## \d+\. ", (ROOT / "incidents.md").read_text(encoding="utf-8"), flags=re.M)
    return [incident(section) for section in sections]


def incident(section: str) -> Incident:
    blocks = FENCE.findall(section)
    cause, *looks, end = (text for language, text in blocks if language == "bash")
    queries = tuple((language, text) for language, text in blocks if language != "bash")
    return Incident(section.partition("\n")[0], cause, queries, tuple(looks), end)


@dataclass(frozen=True)
class Stage:
    offset: int
    data: Path

    def command(self, line: str) -> subprocess.Popen[str]:
        """As printed, but for the path and the ports."""
        assert line.startswith(".venv/bin/workshop "), line
        where = {"PORT_OFFSET": str(self.offset), "WORKSHOP_DATA_DIR": str(self.data)}
        return subprocess.Popen(
            [sys.executable, "-m", "workshop", *shlex.split(line)[1:]], cwd=ROOT, env=os.environ | where,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def done(self, line: str) -> str:
        process = self.command(line)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return said

    def unanswered(self, queries: tuple[tuple[str, str], ...], since: float) -> list[str]:
        return [text for language, text in queries if not self.found(language, text, since)]

    def found(self, language: str, text: str, since: float) -> list[Any]:
        now = time.time()
        match language:
            case "promql":
                return list(self.get(9090, "/api/v1/query", query=text)["data"]["result"])
            case "logql":
                window = {"start": int(since * 1e9), "end": int(now * 1e9)}
                return list(self.get(3100, "/loki/api/v1/query_range", query=text, **window)["data"]["result"])
            case _:
                return list(self.get(3200, "/api/search", q=text, start=int(since), end=int(now + 1))["traces"])

    def get(self, port: int, path: str, **parameters: str | int | float) -> Any:
        url = f"http://127.0.0.1:{port + self.offset}{path}"
        return httpx.get(url, params=parameters, timeout=10).raise_for_status().json()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, next_offset: Callable[[], int]) -> Iterator[Stage]:
    made = Stage(next_offset(), tmp_path_factory.mktemp("incidents"))
    made.done(".venv/bin/workshop up 6 --detach --traffic")
    yield made
    made.done(".venv/bin/workshop down --volumes")


@pytest.mark.parametrize("incident", incidents(), ids=str)
def test_an_incident_can_be_caused_found_and_ended(stage: Stage, incident: Incident) -> None:
    before = stage.unanswered(incident.queries, time.time() - BEFORE_SECONDS)
    assert before, "its trail has all answers on a good day, too"
    since, cause = time.time(), stage.command(incident.cause)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while missing := stage.unanswered(incident.queries, since):
            assert time.monotonic() < deadline, missing
            time.sleep(0.5)
        for look in incident.looks:
            assert stage.done(look).strip()
    finally:
        stage.done(incident.end)
        cause.communicate(timeout=60)


def test_the_incidents_are_those_the_page_counts() -> None:
    found = incidents()
    assert len(found) >= 5
    assert all(each.queries and each.cause != each.end for each in found)
