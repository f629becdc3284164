"""What the real engines answered to the comparison queries: `make golden` records it, others read it.

A file an engine: a line that says which version answered and at what time the data begins, then a line a request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent
RECORD = os.environ.get("GOLDEN") == "record"
MEANT = ("x-loki-response-encoding-flags",)  # headers that change the answer


def begin(name: str) -> int:
    """When the recorded data begins, as whoever recorded it gave it; skips the test where there is no record."""
    if RECORD or not (file := _file(name)).exists():
        pytest.skip(f"no {name} in REAL_TOOLS_DIR or PATH, and no record of its answers")
    with file.open(encoding="utf-8") as lines:
        return int(json.loads(lines.readline())["begin"])


@contextmanager
def replayed(name: str) -> Iterator[httpx.Client]:
    """A client of the engine as it was."""
    with _file(name).open(encoding="utf-8") as lines:
        lines.readline()
        answers = {key: (status, text) for key, status, text in map(json.loads, lines)}

    def answer(request: httpx.Request) -> httpx.Response:
        if (key := _key(request)) not in answers:
            pytest.fail(f"{name} was not asked this when it was recorded (make golden): {key}")
        status, text = answers[key]
        return httpx.Response(status, text=text, headers={"content-type": "application/json"})

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://recorded") as client:
        yield client


@contextmanager
def recorded(name: str, client: httpx.Client, version: str, begin: int = 0) -> Iterator[httpx.Client]:
    """The client of a real engine; with GOLDEN=record its answers are written when it is no longer needed."""
    if not RECORD:
        yield client
        return
    answers: dict[str, tuple[int, str]] = {}

    def keep(response: httpx.Response) -> None:
        if response.request.headers.get("content-type") == "application/x-protobuf":
            return  # data, no query
        response.read()
        answers[_key(response.request)] = (response.status_code, _without_statistics(response.text))

    client.event_hooks = {"response": [keep]}
    yield client
    with _file(name).open("w", encoding="utf-8") as out:
        print(json.dumps({"version": version, "begin": begin}), file=out)
        for key in sorted(answers):
            print(json.dumps([key, *answers[key]]), file=out)


def _without_statistics(text: str) -> str:
    """Half of what Loki says; no test compares it."""
    try:
        answer = json.loads(text)
    except ValueError:
        return text
    for part in (answer, answer.get("data")) if isinstance(answer, dict) else ():
        if isinstance(part, dict):
            part.pop("stats", None)
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def _file(name: str) -> Path:
    return HERE / f"{name}.jsonl"


def _key(request: httpx.Request) -> str:
    headers = "".join(f" {name}={request.headers[name]}" for name in MEANT if name in request.headers)
    return f"{request.method} {request.url.raw_path.decode()}{headers} {request.read().decode()}".rstrip()
