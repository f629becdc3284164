"""The stages' scripts as they are run: their exit codes, their summary, their traces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from traffic_gen.settings import base_url

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "stage1/traffic-gen/generate_traffic.py"


class Target(BaseHTTPRequestHandler):
    """Stands for the roller and for the OTLP backend: fails every risky roll, keeps what it was sent."""

    protocol_version = "HTTP/1.1"
    rolls: list[tuple[str, str | None]]
    spans: list[tuple[str, Span]]

    def do_GET(self) -> None:
        status = 500 if "risky" in self.path else 404 if "golden" in self.path else 200
        if self.path != "/healthz":
            self.rolls.append((self.path, self.headers.get("traceparent")))
        self.answer(status)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        self.answer(200)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def target() -> Iterator[tuple[str, type[Target]]]:
    handler: type[Target] = type("Handler", (Target,), {"rolls": [], "spans": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


def command(*arguments: str, **environment: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, str(SCRIPT), *arguments], os.environ | environment


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    line, env = command(*arguments, **environment)
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)


def test_a_run_prints_one_json_object_and_starts_the_traces(target: tuple[str, type[Target]]) -> None:
    url, handler = target
    environment = {
        "ROLLER_URL": url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "NUM_USERS": "2",
        "THINK_TIME_SECONDS": "0",
    }
    done = run("--json", "--max-rolls-per-user", "100", **environment)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["requests"] == len(handler.rolls) == 200
    assert set(summary["actions"]) == {"roll fair", "roll golden", "roll risky"}
    assert summary["errors"].keys() == {"404", "500"}
    assert summary["failed"] == sum(summary["errors"].values())
    assert {service for service, _ in handler.spans} == {"traffic-gen"}
    roots = {span.trace_id.hex() for _, span in handler.spans if span.kind == Span.SPAN_KIND_CLIENT}
    assert {span.parent_span_id for _, span in handler.spans} == {b""}
    assert roots == {parent.split("-")[1] for _, parent in handler.rolls if parent}
    assert len(roots) == 200


def test_the_table_names_errors_by_status(target: tuple[str, type[Target]]) -> None:
    url, _ = target
    arguments = ("--num-users", "1", "--max-rolls-per-user", "20", "--think-time-seconds", "0")
    done = run(*arguments, ROLLER_URL=url, OTEL_EXPORTER_OTLP_ENDPOINT=url, COLUMNS="120")
    assert done.returncode == 0
    assert "20 requests in" in done.stdout
    assert "500 ×" in done.stdout
    assert "p99 ms" in done.stdout


def test_an_absent_target_is_one_clear_line() -> None:
    done = run(ROLLER_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith("traffic: http://127.0.0.1:1 does not answer")
    assert "ROLLER_URL" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def shifted(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A script as a reader starts it: PORT_OFFSET and no URLs but those given."""
    urls = ("_URL", "OTEL_EXPORTER_OTLP_ENDPOINT")
    env = {name: value for name, value in os.environ.items() if not name.endswith(urls)} | environment
    line = [sys.executable, str(ROOT / script)]
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)


SCRIPTS = [
    ("stage1/traffic-gen/generate_traffic.py", "ROLLER_URL", 8001),
    ("stage2/traffic-gen/generate_traffic.py", "FRONTEND_URL", 8501),
    ("stage4/traffic-gen/compare_async.py", "ROLLER_URL", 8001),
    ("stage5/traffic-gen/database_load.py", "DIE_SERVICE_URL", 8002),
    ("stage6/traffic-gen/database_outage.py", "DIE_SERVICE_URL", 8002),
]


@pytest.mark.parametrize(("script", "variable", "port"), SCRIPTS)
def test_the_default_target_is_shifted_and_a_url_wins(
    script: str, variable: str, port: int, next_offset: Callable[[], int]
) -> None:
    offset = next_offset()
    done = shifted(script, PORT_OFFSET=str(offset))
    assert done.stderr.startswith(f"traffic: http://127.0.0.1:{port + offset} does not answer")
    explicit = shifted(script, PORT_OFFSET=str(offset), **{variable: "http://127.0.0.1:1/"})
    assert explicit.stderr.startswith("traffic: http://127.0.0.1:1 does not answer")


@pytest.mark.parametrize(
    ("variable", "port"), [("LOKI_URL", 3100), ("PROMETHEUS_URL", 9090), ("USAGE_SERVICE_URL", 8003)]
)
def test_the_audit_asks_the_shifted_ports(variable: str, port: int, next_offset: Callable[[], int]) -> None:
    offset = next_offset()
    code = f"import usage_audit; print(usage_audit.{variable})"
    env = {name: value for name, value in os.environ.items() if name != variable} | {"PORT_OFFSET": str(offset)}
    line, folder = [sys.executable, "-c", code], ROOT / "stage6/traffic-gen"
    assert (
        subprocess.check_output(line, env=env, cwd=folder, text=True).strip()
        == f"http://127.0.0.1:{port + offset}"
    )


@pytest.mark.parametrize("value", ["many", "-1", "50104", "1.5", "²", "9" * 5000])
def test_a_port_offset_that_is_none_is_one_clear_line(value: str) -> None:
    done = shifted(SCRIPTS[0][0], PORT_OFFSET=value)
    assert done.returncode == 2
    assert done.stderr.startswith("traffic: PORT_OFFSET is ")
    assert len(done.stderr.splitlines()) == 1


def test_spans_go_to_the_shifted_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.setenv("PORT_OFFSET", "7")
    assert base_url("OTEL_EXPORTER_OTLP_ENDPOINT", 4318) == "http://127.0.0.1:4325"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://alloy:4318")
    assert base_url("OTEL_EXPORTER_OTLP_ENDPOINT", 4318) == "http://alloy:4318"


@pytest.mark.parametrize(
    ("name", "value"),
    [("NUM_USERS", "0"), ("NUM_USERS", "many"), ("RATE", "-1"), ("ASYNC_PROBABILITY", "2"), ("SEED", "x")],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    done = run(**{name: value})
    assert done.returncode == 2
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_with_the_summary_so_far(target: tuple[str, type[Target]]) -> None:
    url, handler = target
    line, env = command("--json", "--max-rolls-per-user", "0", ROLLER_URL=url, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    env["THINK_TIME_SECONDS"] = "0.01"
    process = subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while len(handler.rolls) < 20 and process.poll() is None:
        threading.Event().wait(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(out)["requests"] >= 15  # the five users had one each under way
