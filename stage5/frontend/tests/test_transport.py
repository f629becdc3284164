"""However a call ends badly, its span says so."""

import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import clients
import rolling

Speak = Callable[[Callable[[bytes], None]], None]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"


def hang(write: Callable[[bytes], None]) -> None:
    time.sleep(0.8)


def drip(write: Callable[[bytes], None]) -> None:
    write(HEAD)
    for _ in range(40):
        write(b" ")
        time.sleep(0.02)


def break_off(write: Callable[[bytes], None]) -> None:
    write(HEAD)


def not_gzip(write: Callable[[bytes], None]) -> None:
    write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain")


@contextmanager
def serving(speak: Speak) -> Iterator[int]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            with suppress(OSError):
                speak(self.request.sendall)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(
    ("speak", "status", "error"),
    [
        (None, 503, "ConnectError"),
        (hang, 504, "ReadTimeout"),
        (drip, 504, "ReadTimeout"),
        (break_off, 503, "RemoteProtocolError"),
        (not_gzip, 503, "DecodingError"),
    ],
)
def test_a_bad_end_is_an_error_with_its_reason(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, speak: Speak | None, status: int, error: str
) -> None:
    with serving(speak or hang) as port:
        url = f"http://127.0.0.1:{port if speak else 1}"
        with clients.client_for(url, 0.3, "dice-roller", httpx.HTTPTransport()) as client:
            HTTPXClientInstrumentor.instrument_client(client)
            monkeypatch.setattr(clients, "roller", client)
            assert rolling.roll("fair", {}).status == status
    (call,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT]
    assert call.status.status_code is StatusCode.ERROR
    assert [event.name for event in call.events] == ["exception"]
    attributes = call.attributes or {}
    assert (attributes["error.type"], attributes["peer.service"]) == (error, "dice-roller")


def test_an_answer_of_many_pieces_arrives_whole() -> None:
    body = b"0123456789" * 100_000

    def speak(write: Callable[[bytes], None]) -> None:
        write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 40_000):
            write(b"%x\r\n%b\r\n" % (len(piece := body[start : start + 40_000]), piece))
        write(b"0\r\n\r\n")

    transport = httpx.HTTPTransport()
    with serving(speak) as port, clients.client_for(f"http://127.0.0.1:{port}", 20, "x", transport) as client:
        HTTPXClientInstrumentor.instrument_client(client)
        assert client.get("/").content == body


def test_more_calls_than_connections_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(request: httpx.Request) -> httpx.Response:
        raise httpx.PoolTimeout("full", request=request)

    client = clients.client_for("http://services", 5, "dice-roller", httpx.MockTransport(full))
    HTTPXClientInstrumentor.instrument_client(client)
    monkeypatch.setattr(clients, "roller", client)
    answer = rolling.roll("fair", {})
    assert (answer.status, answer.body) == (503, {"detail": "Too many rolls at once. Try again in a second."})
