"""Stands in for the pocket stack where a test is about the command: the same ports, ready at once.

Keeps every pushed log line in `<data-dir>/lines.jsonl`, so that a test can ask what arrived. Started as
`python -m pocket` out of a made-up project's stack/ folder.
"""

import argparse
import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORTS = (3000, 3100, 3200, 4040, 4317, 4318, 9090, 12345)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lines: Path
    writing = threading.Lock()

    def do_GET(self) -> None:
        self._answer(200, b'{"database": "ok", "version": "pocket"}' if self.path == "/api/health" else b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.writing, self.lines.open("a") as file:
            for stream in json.loads(body)["streams"]:
                for value in stream["values"]:
                    file.write(json.dumps({**stream["stream"], "line": value[1]}) + "\n")
        self._answer(204)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--port-offset", type=int)
    options, _ = parser.parse_known_args()
    options.data_dir.mkdir(parents=True, exist_ok=True)
    Handler.lines = options.data_dir / "lines.jsonl"
    for port in PORTS:
        server = ThreadingHTTPServer(("127.0.0.1", port + options.port_offset), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()


main()
