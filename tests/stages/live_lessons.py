"""Asks a running stage what its lesson asks, and says which of it got no answer."""

from __future__ import annotations

import re
import shlex
import time
from typing import Protocol

import httpx

from tests.stages.lessons import Block, outside_exercises

NO_ID = "0" * 32  # stands in a lesson for a trace id of the reader's
WINDOW_SECONDS = 900


class Get(Protocol):
    """GET on a component or service by its base port."""

    def __call__(self, port: int, path: str, **parameters: object) -> httpx.Response: ...


def found(block: Block, get: Get, window_seconds: float = WINDOW_SECONDS) -> int:
    """How many series, lines or traces a query has had lately; raises for an answer that is no 200."""
    now = time.time()
    since = now - window_seconds
    match block.language:
        case "promql":
            window = {"start": since, "end": now, "step": 5}
            answer = get(9090, "/api/v1/query_range", query=block.text, **window)
            return len(answer.raise_for_status().json()["data"]["result"])
        case "logql":
            window = {"start": int(since * 1e9), "end": int(now * 1e9)}
            answer = get(3100, "/loki/api/v1/query_range", query=block.text, **window)
            streams = answer.raise_for_status().json()["data"]["result"]
            return sum(len(stream["values"]) for stream in streams)
        case _:
            traces = get(3200, "/api/search", q=block.text, start=int(since), end=int(now + 1))
            return len(traces.raise_for_status().json()["traces"])


def unanswered_queries(stage: int, get: Get) -> list[str]:
    """The stage's printed queries that find nothing; one about a trace id of the reader's need not."""
    asked = [block for block in outside_exercises(stage, "promql", "logql", "traceql") if NO_ID not in block.text]
    return [block.text for block in asked if not found(block, get)]


def unanswered_commands(stage: int, get: Get) -> list[str]:
    """The stage's printed `curl` lines whose answer is no answer, or lacks what the line then greps for."""
    return [
        line
        for block in outside_exercises(stage, "bash")
        for line in block.lines
        if "curl" in line and not fits(line, get)
    ]


def fits(line: str, get: Get) -> bool:
    url = next(word for word in shlex.split(line) if word.startswith("http"))
    parts = re.fullmatch(r"http://localhost:(\d+)(/[^?]*)(?:\?(.*))?", url)
    assert parts, f"not a URL of the stage: {url}"
    parameters = dict(pair.split("=", 1) for pair in (parts[3] or "").split("&") if pair)
    answer = get(int(parts[1]), parts[2], **parameters)
    grep = re.search(r"\| grep (\S+)", line)
    answered = answer.status_code < 500 or "risky" in url
    return answered and (grep is None or grep[1] in answer.text)
