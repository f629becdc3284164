import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import REGISTRY

from main import provider, service
from telemetry import export
from telemetry.logs import JsonFormatter

DEADLINE = 20.0
Receiver = Callable[[int], AbstractContextManager[list[str]]]


def formatted(message: str, **extra: object) -> dict[str, object]:
    record = logging.getLogger("test").makeRecord("test", logging.WARNING, "f", 1, message, (), None, extra=extra)
    line = JsonFormatter(service).format(record)
    assert "\n" not in line
    decoded: dict[str, object] = json.loads(line)
    return decoded


def test_a_line_outside_of_a_span() -> None:
    line = formatted("hello", die_type="fair")
    assert list(line) == ["timestamp", "level", "logger", "message", "service", "service_instance_id", "die_type"]
    assert (line["level"], line["logger"], line["message"]) == ("warning", "test", "hello")
    assert str(line["timestamp"]).endswith("+00:00")
    assert len(str(line["timestamp"])) == len("2026-01-01T00:00:00.000+00:00")


def test_a_line_inside_of_a_span_has_its_ids() -> None:
    with provider.get_tracer("test").start_as_current_span("work") as span:
        line = formatted("hello")
    context = span.get_span_context()
    assert (line["trace_id"], line["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")


def test_input_cannot_forge_a_line() -> None:
    evil = 'x"\n{"level":"critical","message":"forged"}\r\u2028'
    assert formatted(evil)["message"] == evil
    assert formatted("unknown die", die_asked=evil)["level"] == "warning"


@pytest.mark.parametrize("odd", [10**30, "\ud800", {1: object()}, float("nan")])
def test_a_value_that_is_no_json_costs_no_line(odd: object) -> None:
    assert formatted("odd", odd=odd)["message"] == "odd"


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("telemetry_spans_dropped_total", {"reason": reason}) or 0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.02)


@contextmanager
def tarpit() -> Iterator[int]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


@pytest.fixture
def tracer_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], trace.Tracer]]:
    monkeypatch.setattr(export, "QUEUE_SIZE", 1000)
    monkeypatch.setattr(export, "EXPORT_EVERY_MILLISECONDS", 50)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1")
    providers: list[TracerProvider] = []

    def tracer(port: int) -> trace.Tracer:
        provider = TracerProvider(shutdown_on_exit=False)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"http://127.0.0.1:{port}/v1/traces")
        provider.add_span_processor(export.SpanQueue(export.otlp_exporter()()))
        providers.append(provider)
        return provider.get_tracer("test")

    yield tracer
    for made in providers:
        made.shutdown()


def spans(tracer: trace.Tracer, count: int, name: str = "work") -> None:
    for _ in range(count):
        with tracer.start_as_current_span(name):
            pass


def test_a_backend_that_never_answers_costs_spans_and_nothing_else(
    tracer_to: Callable[[int], trace.Tracer], caplog: pytest.LogCaptureFixture
) -> None:
    full, failed = dropped("queue_full"), dropped("export_failed")
    with tarpit() as port:
        spans(tracer_to(port), 5000)
        assert dropped("queue_full") - full >= 3000
        until(lambda: dropped("export_failed") > failed)
    assert len(caplog.records) <= 1


def test_export_resumes_by_itself(
    tracer_to: Callable[[int], trace.Tracer],
    receiver: Receiver,
    free_port: Callable[[], int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    tracer = tracer_to(port)
    failed = dropped("export_failed")
    spans(tracer, 10, "lost")
    until(lambda: dropped("export_failed") >= failed + 10)
    with receiver(port) as names:
        spans(tracer, 10, "arrived")
        until(lambda: names.count("arrived") == 10)
        until(lambda: len(caplog.records) == 2)
    assert "lost" not in names
    assert [record.getMessage() for record in caplog.records] == ["span export: failure", "span export: success"]
    assert {record.__dict__["to"] for record in caplog.records} == {f"http://127.0.0.1:{port}/v1/traces"}


def test_spans_that_cannot_be_encoded_are_counted_and_their_room_given_back(
    tracer_to: Callable[[int], trace.Tracer], receiver: Receiver, free_port: Callable[[], int]
) -> None:
    full, failed = dropped("queue_full"), dropped("export_failed")
    with receiver(port := free_port()) as names:
        tracer = tracer_to(port)
        for batch in range(1, 3):
            spans(tracer, 600, "\ud800")
            until(lambda batch=batch: dropped("export_failed") == failed + 600 * batch)
        spans(tracer, 600)
        until(lambda: len(names) == 600)
    assert dropped("queue_full") == full


def test_an_exporter_that_raises_gives_its_room_back_and_says_why(
    tracer_to: Callable[[int], trace.Tracer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: object, spans: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(export.otlp_exporter(), "export", broken)
    full, failed = dropped("queue_full"), dropped("export_failed")
    tracer = tracer_to(1)
    for batch in range(1, 4):
        spans(tracer, 600)
        until(lambda batch=batch: dropped("export_failed") == failed + 600 * batch)
    assert dropped("queue_full") == full
    until(lambda: len(caplog.records) == 1)
    assert caplog.records[0].__dict__["error"] == "RuntimeError()"


def test_room_is_given_back(
    tracer_to: Callable[[int], trace.Tracer], receiver: Receiver, free_port: Callable[[], int]
) -> None:
    full = dropped("queue_full")
    with receiver(port := free_port()) as names:
        tracer = tracer_to(port)
        for batch in range(1, 6):
            spans(tracer, 600)
            until(lambda batch=batch: len(names) == batch * 600)
    assert dropped("queue_full") == full
