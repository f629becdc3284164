"""One `loki.process` of a configuration in the real Alloy: lines go in, entries come out as Loki gets them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cramjam
import httpx

from pocket.receive.messages import LokiPush
from pocket.rows import LogEntry

PATIENCE = 60.0  # seconds: Alloy starts in two


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
    found = re.search(rf'^loki\.process "{name}" \{{\n.*?^\}}\n', config.read_text(encoding="utf-8"), re.M | re.S)
    assert found
    return f"""
loki.source.api "lines" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port = {source}
  }}
  use_incoming_timestamp = true
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
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                url = f"http://127.0.0.1:{self.port}/loki/api/v1/push"
                httpx.post(url, json={"streams": [stream]}).raise_for_status()
                return
            except httpx.TransportError:
                assert time.monotonic() < deadline, "alloy takes nothing"
                time.sleep(0.1)

    def until(self, line: str) -> list[LogEntry]:
        """What has come out, once `line` has."""
        deadline = time.monotonic() + PATIENCE
        while not any(entry.line == line for entry in self.entries):
            assert time.monotonic() < deadline, "the last line does not arrive"
            time.sleep(0.1)
        return self.entries


@contextmanager
def running(config: Path, name: str, folder: Path) -> Iterator[Pipeline]:
    """FileNotFoundError where this machine has no Alloy."""
    binary = shutil.which("alloy", path=os.environ.get("REAL_TOOLS_DIR", "")) or shutil.which("alloy")
    if binary is None:
        raise FileNotFoundError("no alloy binary in REAL_TOOLS_DIR or PATH")
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
