"""What the supervisor says to the command that started it: JSON lines on a pipe, and its own log file."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, TypedDict

from workshop.run.backlog import Backlog

HELD_BYTES = 1 << 20  # some 7000 events


class Event(TypedDict, total=False):
    type: Literal["unit", "note", "ready", "error", "stopped"]
    name: str  # of the unit
    state: str
    detail: str


class EventWriter:
    """Writes events for as long as someone listens; after `detach`, or a broken pipe, to the log file alone.

    What a full disk does not take is written by a later event, or by `flush`.
    """

    def __init__(self, log: Path) -> None:
        self._log = Backlog(log, HELD_BYTES)
        self._pipe: IO[str] | None = sys.stdout

    def __call__(self, kind: Literal["unit", "note", "ready", "error", "stopped"], **fields: Any) -> None:
        line = json.dumps({"type": kind, **fields})
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._log.write(f"{now} {line}\n".encode())
        if self._pipe is None:
            return
        try:
            self._pipe.write(line + "\n")
            self._pipe.flush()
        except OSError:
            self._pipe = None

    def flush(self) -> None:
        self._log.flush()

    def detach(self) -> None:
        self._pipe = None
