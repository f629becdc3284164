"""The same lines to stage 6's `loki.process "usage"` in the real Alloy, and to its twin."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cramjam
import httpx
import pytest

from pocket.receive.bounds import Bounds
from pocket.receive.messages import LokiPush
from pocket.route.pipeline import is_usage, process
from pocket.rows import LogEntry

CONFIG = Path(__file__).resolve().parents[3] / "stage6" / "alloy" / "config.alloy"
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


class Sink(BaseHTTPRequestHandler):
    lines: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        message = LokiPush.FromString(bytes(cramjam.snappy.decompress_raw(body)))
        self.lines += [entry.line for stream in message.streams for entry in stream.entries]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def configuration(source: int, sink: int) -> str:
    found = re.search(r'^loki\.process "usage" \{\n.*?^\}\n', CONFIG.read_text(), re.M | re.S)
    assert found
    return f"""
loki.source.api "lines" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port = {source}
  }}
  forward_to = [loki.process.usage.receiver]
}}
loki.write "sink" {{
  endpoint {{ url = "http://127.0.0.1:{sink}/" }}
}}
""" + found[0].replace("otelcol.receiver.loki.usage.receiver", "loki.write.sink.receiver")


@pytest.fixture
def alloy(tmp_path: Path) -> Iterator[tuple[int, list[str]]]:
    """The port that takes lines, and the lines that come out."""
    binary = shutil.which("alloy", path=os.environ.get("REAL_TOOLS_DIR", "")) or shutil.which("alloy")
    if binary is None:
        pytest.skip("no alloy binary in REAL_TOOLS_DIR or PATH")
    source, http = free_port(), free_port()
    handler = type("Handler", (Sink,), {"lines": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as sink, (tmp_path / "log").open("wb") as log:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        (tmp_path / "config.alloy").write_text(configuration(source, sink.server_address[1]))
        flags = [
            f"--server.http.listen-addr=127.0.0.1:{http}",
            f"--storage.path={tmp_path / 'd'}",
            "--disable-reporting",
        ]
        child = subprocess.Popen([binary, "run", *flags, str(tmp_path / "config.alloy")], stdout=log, stderr=log)
        try:
            yield source, handler.lines  # type: ignore[attr-defined]
        finally:
            child.terminate()
            child.wait(20)
            sink.shutdown()


def push(port: int, lines: list[str]) -> None:
    now = time.time_ns()
    stream = {"stream": {"a": "b"}, "values": [[str(now + n), line] for n, line in enumerate(lines)]}
    for _ in range(200):
        try:
            httpx.post(f"http://127.0.0.1:{port}/loki/api/v1/push", json={"streams": [stream]}).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("alloy takes nothing")


def test_both_choose_the_same_lines(alloy: tuple[int, list[str]]) -> None:
    port, taken = alloy
    push(port, [*LINES, LAST])
    for _ in range(200):
        if LAST in taken:
            break
        time.sleep(0.1)
    bounds = Bounds(0, 1 << 62)
    ours = [line for line in [*LINES, LAST] if is_usage(process(LogEntry({}, 1, line), bounds)[1])]
    assert taken == ours
