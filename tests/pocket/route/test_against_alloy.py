"""The same lines to the `loki.process` components of the real Alloy, and to their twin."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cramjam
import httpx
import pytest

from pocket.receive.bounds import Bounds
from pocket.receive.messages import LokiPush
from pocket.route.pipeline import is_usage, process
from pocket.rows import LogEntry

ROOT = Path(__file__).resolve().parents[3]
STACK, STAGE_6 = ROOT / "stack/alloy/config.alloy", ROOT / "stage6/alloy/config.alloy"
VALUES = (True, False, "true", "True", "", 1, 0, 1.0, None, [True], {"a": True})
LINES = [
    *(json.dumps({"usage": value}) for value in VALUES),
    '  {"usage": true}', '\t{"usage":"true"}', '{"usage": true, "usage": false}',
    '{"usage": false, "usage": true}',
    '{"Usage": true}', '{"a": {"usage": true}}', '{"usage": true', '[{"usage": true}]', '"usage"', "true",
    "usage=true",
    '{"usage": " true"}', '{"usage":true,"user":"Ada \\u00e9"}',
]  # fmt: skip
LAST = '{"usage": true, "n": "last"}'
FIELDS = {"timestamp": "2026-03-04T05:06:07.000008+00:00", "level": "info", "service": "dice-roller"}
SERVICE_LINES = [
    *(json.dumps(FIELDS | {"n": n, "trace_id": f"{n:032x}"}) for n in range(3)),  # three at the same time
    json.dumps({"timestamp": "2026-03-04T05:06:09.5+00:00", "level": "error", "service": "dice-roller"}),
    "Traceback (most recent call last):",
    json.dumps({"timestamp": "yesterday", "level": "warning"}),
]
BOUNDS = Bounds(0, 1 << 62)


class Sink(BaseHTTPRequestHandler):
    """Loki, as far as `loki.write` sees it."""

    entries: list[LogEntry]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        message = LokiPush.FromString(bytes(cramjam.snappy.decompress_raw(body)))
        self.entries += [logged(stream.labels, entry) for stream in message.streams for entry in stream.entries]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def logged(labels: str, entry: Any) -> LogEntry:
    when = entry.timestamp.seconds * 10**9 + entry.timestamp.nanos
    metadata = {pair.name: pair.value for pair in entry.structuredMetadata}
    return LogEntry(dict(re.findall(r'(\w+)="([^"]*)"', labels)), when, entry.line, metadata)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def configuration(config: Path, name: str, source: int, sink: int) -> str:
    found = re.search(rf'^loki\.process "{name}" \{{\n.*?^\}}\n', config.read_text(), re.M | re.S)
    assert found
    return f"""
loki.source.api "lines" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port = {source}
  }}
  forward_to = [loki.process.{name}.receiver]
}}
loki.write "sink" {{
  endpoint {{ url = "http://127.0.0.1:{sink}/" }}
}}
""" + re.sub(r"forward_to = .*", "forward_to = [loki.write.sink.receiver]", found[0], count=1)


@dataclass(frozen=True)
class Pipeline:
    """One `loki.process` in a running Alloy: the port that takes lines, and the entries that come out."""

    port: int
    entries: list[LogEntry]

    def push(self, *lines: tuple[int, str], **labels: str) -> None:
        """(Unix nanoseconds, line) each."""
        stream = {"stream": labels, "values": [[str(when), line] for when, line in lines]}
        for _ in range(200):
            try:
                url = f"http://127.0.0.1:{self.port}/loki/api/v1/push"
                httpx.post(url, json={"streams": [stream]}).raise_for_status()
                return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail("alloy takes nothing")

    def until(self, line: str) -> list[LogEntry]:
        """What has come out, once `line` has."""
        for _ in range(200):
            if any(entry.line == line for entry in self.entries):
                return self.entries
            time.sleep(0.1)
        pytest.fail("the last line does not arrive")


@contextmanager
def running(config: Path, name: str, folder: Path) -> Iterator[Pipeline]:
    binary = shutil.which("alloy", path=os.environ.get("REAL_TOOLS_DIR", "")) or shutil.which("alloy")
    if binary is None:
        pytest.skip("no alloy binary in REAL_TOOLS_DIR or PATH")
    source, http = free_port(), free_port()
    handler = type("Handler", (Sink,), {"entries": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as sink, (folder / "log").open("wb") as log:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        (folder / "config.alloy").write_text(configuration(config, name, source, sink.server_address[1]))
        flags = [
            f"--server.http.listen-addr=127.0.0.1:{http}",
            f"--storage.path={folder / 'd'}",
            "--disable-reporting",
        ]
        child = subprocess.Popen([binary, "run", *flags, str(folder / "config.alloy")], stdout=log, stderr=log)
        try:
            yield Pipeline(source, handler.entries)  # type: ignore[attr-defined]
        finally:
            child.terminate()
            child.wait(20)
            sink.shutdown()


@pytest.fixture
def alloy(tmp_path: Path) -> Iterator[Callable[[Path, str], Pipeline]]:
    with ExitStack() as stack:
        yield lambda config, name: stack.enter_context(running(config, name, tmp_path))


def test_both_choose_the_same_lines(alloy: Callable[[Path, str], Pipeline]) -> None:
    pipeline, now = alloy(STAGE_6, "usage"), time.time_ns()
    pipeline.push(*((now + n, line) for n, line in enumerate([*LINES, LAST])), a="b")
    taken = [entry.line for entry in pipeline.until(LAST)]
    ours = [line for line in [*LINES, LAST] if is_usage(process(LogEntry({}, 1, line), BOUNDS)[1])]
    assert taken == ours


@pytest.mark.parametrize("config", [STACK, STAGE_6], ids=["stack", "stage6"])
def test_a_line_read_again_is_the_same_entry_in_both(alloy: Callable[[Path, str], Pipeline], config: Path) -> None:
    """As after `docker compose stop` and `start`: Alloy reads the container's last second once more."""
    pipeline, now = alloy(config, "service_logs"), time.time_ns()
    lines = [(now + n, line) for n, line in enumerate(SERVICE_LINES)]
    given = {"container_name": "dice-workshop-dice-roller-1", "service_name": "dice-roller", "level": "unknown"}
    pipeline.push(*lines, **given)
    pipeline.push(*lines, **given)
    pipeline.push((now, LAST), **given)
    taken = [entry for entry in pipeline.until(LAST) if entry.line != LAST]
    assert len(taken) == 2 * len(lines)
    compose = {"container_name": given["container_name"], "compose_service": "dice-roller"}
    ours = [process(LogEntry(compose, when, line), BOUNDS)[0] for when, line in lines]
    for when_read in (taken[: len(lines)], taken[len(lines) :]):
        assert [comparable(entry) for entry in when_read] == [comparable(entry) for entry in ours]


def comparable(entry: LogEntry) -> tuple[object, ...]:
    return entry.t_ns, entry.line, sorted(entry.labels.items()), sorted(entry.structured_metadata.items())
