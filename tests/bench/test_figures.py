from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.pocket import measure_ingest, otlp_batch
from bench.stage import batch_over_slowest

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_help_names_every_measurement() -> None:
    done = bench("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("cost", "first-trace", "stage", "ingest"))


def test_an_unknown_measurement_is_refused_with_the_names_there_are() -> None:
    done = bench("nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "first-trace" in done.stderr
    assert "Traceback" not in done.stderr


def span(name: str, start: int, end: int) -> dict[str, object]:
    return {"name": name, "startTimeUnixNano": str(start), "endTimeUnixNano": str(end)}


def test_a_batch_is_held_to_its_slowest_roll() -> None:
    rolls = [span("roll die", 0, 100), span("roll die", 10, 400)]
    trace = {"resourceSpans": [{"scopeSpans": [{"spans": [span("GET /roll-async", 0, 585), *rolls]}]}]}
    assert batch_over_slowest(trace) == 1.5


def ids(body: bytes) -> set[bytes]:
    request: Message = ExportTraceServiceRequest.FromString(body)
    return {span.span_id for r in request.resource_spans for s in r.scope_spans for span in s.spans}  # type: ignore[attr-defined]


def test_no_span_is_sent_twice() -> None:
    assert len(ids(otlp_batch(50)) | ids(otlp_batch(50))) == 100


def test_what_is_sent_is_found_again() -> None:
    figures = measure_ingest(batches=2)
    assert (figures.spans.sent, figures.spans.found) == (1024, 1024)
    assert (figures.lines.sent, figures.lines.found) == (2000, 2000)
