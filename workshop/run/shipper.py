"""Ships the services' log lines to the pocket stack, as Docker's log driver and Alloy do for the full stack.

Positions are saved only after the stack said 204, so a line is delivered at least once; a batch is repeated with
its first timestamps, so that a repetition can be recognized. While the stack is away the lines wait in the files.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocket.addresses import LOOPBACK
from workshop.run import tailer
from workshop.run.state import write_atomically

POLL_SECONDS = 0.25
DRAIN_SECONDS = 2.0  # for the last log lines, once the services are gone and before the pocket stack goes
BACKOFF_SECONDS = (0.2, 5.0)  # first and longest pause while the stack does not take lines
PUSH_PATH = "/loki/api/v1/push"
logger = logging.getLogger("workshop.shipper")

Stream = dict[str, Any]
Send = Callable[[list[Stream]], int]


class UnavailableError(Exception):
    """The stack did not take the batch; the same again later."""


@dataclass(frozen=True)
class Batch:
    streams: list[Stream]
    positions: dict[str, tailer.Position]
    finished: tuple[Path, ...]


class Shipper:
    """`step` ships what is there; `run` does so until stopped. One thread."""

    def __init__(self, logs: Path, services: Sequence[str], positions: Path, project: str, send: Send) -> None:
        self.logs, self.services, self.project, self.send = logs, services, project, send
        self.positions_file = positions
        self.positions = _load_positions(positions)
        self._pending: Batch | None = None

    def step(self) -> int:
        """Lines shipped and files finished, 0 when there was nothing new.

        Raises UnavailableError; the next call then repeats the very same batch.
        """
        batch = self._pending = self._pending or self._read()
        if batch.streams:
            self._deliver(batch.streams)
        self._commit(batch)
        self._pending = None
        return sum(len(stream["values"]) for stream in batch.streams) + len(batch.finished)

    def run(self, stop: threading.Event) -> None:
        """Ships until `stop` is set; failures are tried again, ever more slowly."""
        pause = BACKOFF_SECONDS[0]
        while not stop.is_set():
            try:
                shipped = self.step()
                pause = BACKOFF_SECONDS[0]
            except Exception as error:
                if not isinstance(error, UnavailableError):  # a full disk, say: this thread must outlive that
                    logger.exception("log lines wait: they cannot be shipped")
                stop.wait(pause)
                pause = min(2 * pause, BACKOFF_SECONDS[1])
            else:
                if not shipped:
                    stop.wait(POLL_SECONDS)

    def drain(self, seconds: float) -> None:
        """Ships what is left, as far as that goes in this time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if not self.step():
                    return
            except (UnavailableError, OSError):
                time.sleep(BACKOFF_SECONDS[0])

    def _read(self) -> Batch:
        positions = dict(self.positions)
        streams: list[Stream] = []
        finished: list[Path] = []
        for service in self.services:
            piece = tailer.read(self.logs / f"{service}.log", positions.get(service, tailer.Position()))
            positions[service] = piece.after
            finished += piece.finished
            if piece.lines:
                streams.append(self._stream(service, piece.lines))
        return Batch(streams, positions, tuple(finished))

    def _stream(self, service: str, lines: list[str]) -> Stream:
        arrived = time.time_ns()
        labels = {"container_name": f"{self.project}-{service}-1", "compose_service": service}
        # One nanosecond apart, so that lines without a timestamp of their own keep their order.
        return {"stream": labels, "values": [[str(arrived + i), line] for i, line in enumerate(lines)]}

    def _deliver(self, streams: list[Stream]) -> None:
        """Sends; a refused batch is halved until the one refused line is found, which is left out, and told of."""
        status = self.send(streams)
        if 200 <= status < 300:
            return
        if status == 429 or status >= 500:
            raise UnavailableError(status)
        halves = _halves(streams)
        for half in halves:
            self._deliver(half)
        if not halves:
            service = streams[0]["stream"]["compose_service"]
            logger.warning("the stack refused a log line of %s: HTTP %d", service, status)

    def _commit(self, batch: Batch) -> None:
        if batch.positions != self.positions:
            saved = {name: [position.inode, position.offset] for name, position in batch.positions.items()}
            write_atomically(self.positions_file, saved)
            self.positions = batch.positions
        for part in batch.finished:
            part.unlink(missing_ok=True)


def _halves(streams: list[Stream]) -> list[list[Stream]]:
    """Two halves of a batch, by streams first, then by lines; nothing when it is a single line."""
    if len(streams) > 1:
        return [streams[: len(streams) // 2], streams[len(streams) // 2 :]]
    labels, values = streams[0]["stream"], streams[0]["values"]
    if len(values) == 1:
        return []
    middle = len(values) // 2
    return [[{"stream": labels, "values": part}] for part in (values[:middle], values[middle:])]


def _load_positions(path: Path) -> dict[str, tailer.Position]:
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return {name: tailer.Position(int(inode), int(offset)) for name, (inode, offset) in saved.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # none yet, or unreadable: from the start; twice is better than never


class ShipperThread:
    """A shipper's thread in the supervisor: begins with the services, ends after them."""

    def __init__(self, shipper: Shipper) -> None:
        self._shipper = shipper
        self._stop = threading.Event()
        self._thread = threading.Thread(target=shipper.run, args=(self._stop,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, *, drain: bool) -> None:
        """Blocks until the thread has ended and, with `drain`, what is left is shipped as far as time allows."""
        self._stop.set()
        self._thread.join()
        if drain:
            self._shipper.drain(DRAIN_SECONDS)


class PushClient:
    """Loki push over one kept-alive connection. http.client: the supervisor starts 0.3 s faster without httpx."""

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)

    def __call__(self, streams: list[Stream]) -> int:
        """The answer's status. Raises UnavailableError when there is no answer."""
        body = json.dumps({"streams": streams}).encode()
        try:
            self._connection.request("POST", PUSH_PATH, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise UnavailableError(str(error)) from error
        return response.status

    def close(self) -> None:
        self._connection.close()
