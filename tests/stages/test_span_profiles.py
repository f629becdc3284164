"""What holds of the link from a span to its profile under asyncio, with concurrent requests.

The profiler tags threads. Work in a thread of its own, tagged there (stage 3's `shake`), is told apart exactly.
pyroscope-otel's processor tags the thread a root span starts in: on the event loop that is everybody's thread.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from pocket.receive.messages import Profile, ProfilePush

ROOT = Path(__file__).resolve().parents[2]
CONCURRENT = 8
START = """
import asyncio, random, pyroscope
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
provider = TracerProvider()
trace.set_tracer_provider(provider)
pyroscope.configure(application_name="test", server_address="{address}", upload_interval=1)
"""
IN_THREADS = """
import shaking
async def requests():
    for _ in range(12):
        await asyncio.gather(*(shaking.shake(10) for _ in range(8)))
asyncio.run(requests())
pyroscope.shutdown()
"""
ON_THE_LOOP = """
from pyroscope.otel import PyroscopeSpanProcessor
provider.add_span_processor(PyroscopeSpanProcessor())
tracer = trace.get_tracer("test")
async def handler():
    with tracer.start_as_current_span("request"):
        for _ in range(25):
            random.shuffle(list(range(5000)))
            await asyncio.sleep(0)
async def requests():
    for _ in range(4):
        await asyncio.gather(*(handler() for _ in range(8)))
asyncio.run(requests())
pyroscope.shutdown()
"""


@dataclass(frozen=True)
class Sample:
    functions: frozenset[str]
    span_ids: frozenset[str]
    nanoseconds: int


class Backend(BaseHTTPRequestHandler):
    samples: ClassVar[list[Sample]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.samples.extend(samples(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def samples(push: bytes) -> list[Sample]:
    found = []
    for series in ProfilePush.FromString(push).series:
        for raw in series.samples:
            profile = Profile.FromString(raw.rawProfile)
            text = list(profile.string_table)
            functions = {function.id: text[function.name] for function in profile.function}
            locations = {each.id: {functions[line.function_id] for line in each.line} for each in profile.location}
            for sample in profile.sample:
                stack = frozenset[str]().union(*(locations[number] for number in sample.location_id))
                ids = frozenset(text[label.str] for label in sample.label if text[label.key] == "span_id")
                found.append(Sample(stack, ids, sum(sample.value)))
    return found


@pytest.fixture
def backend() -> Iterator[tuple[str, list[Sample]]]:
    class Handler(Backend):
        samples: ClassVar[list[Sample]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Handler.samples
        server.shutdown()


def profiled(backend: tuple[str, list[Sample]], program: str) -> list[Sample]:
    address, received = backend
    service = ROOT / "stage3/dice-roller"
    code = START.format(address=address) + program
    environment = os.environ | {"OTEL_SERVICE_NAME": "test"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=service, env=environment, capture_output=True, timeout=120
    )
    assert run.returncode == 0, run.stderr.decode()
    return received


def test_work_in_a_thread_of_its_own_belongs_to_one_span(backend: tuple[str, list[Sample]]) -> None:
    shuffles = [sample for sample in profiled(backend, IN_THREADS) if "Random.shuffle" in sample.functions]
    assert shuffles
    assert max(len(sample.span_ids) for sample in shuffles) == 1
    untagged = sum(sample.nanoseconds for sample in shuffles if not sample.span_ids)
    assert untagged < sum(sample.nanoseconds for sample in shuffles) / 10  # one taken as the tag was taken off
    assert len({span_id for sample in shuffles for span_id in sample.span_ids}) > CONCURRENT


def test_on_the_event_loop_a_sample_carries_the_ids_of_all_that_wait(backend: tuple[str, list[Sample]]) -> None:
    shuffles = [sample for sample in profiled(backend, ON_THE_LOOP) if "Random.shuffle" in sample.functions]
    tagged = [sample for sample in shuffles if sample.span_ids]
    total = sum(sample.nanoseconds for sample in tagged)
    ambiguous = sum(sample.nanoseconds for sample in tagged if len(sample.span_ids) > 1)
    print(f"ambiguous: {ambiguous / total:.0%}, ids a sample: {sorted({len(s.span_ids) for s in tagged})}")
    assert ambiguous > total / 2
