"""A child's log lines wait in memory while its file cannot be written: a full disk loses none that fits in there.

A usage event is a log line and nothing else, so one that was never written is an event that never was. What finds
no room here is counted, in whole lines; `workshop status`, `workshop logs` and the pocket UI say so.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from workshop.run.logfile import LogFile, tail

# A child. The busiest of stage 6, the frontend, writes some 450 bytes a line: 35 000 lines, or half an hour of
# 20 rolls a second. As much as one log file holds, so that a run's memory stays below what its logs take on disk.
HELD_BYTES = 16 << 20
STEP_BYTES = 1 << 20  # written at once when the disk has room again


class Backlog:
    """The log file at `path` with a memory before it. No call raises OSError: `fault` says why lines wait."""

    def __init__(self, path: Path, limit: int = HELD_BYTES) -> None:
        self.path, self.limit = path, limit
        self.fault = ""
        self.lost_lines = 0
        self._held = bytearray()
        self._amid = False  # the last byte taken is no line's end
        self._cut = False  # the last byte lost is no line's end
        self._file: LogFile | None = None

    @property
    def waiting_lines(self) -> int:
        return self._held.count(b"\n")

    def begin(self) -> None:
        """A new life of the child, whose lines `tail` shows. The last one may have ended amid a line."""
        if self._amid:
            self.write(b"\n")
        self._cut = False
        self.flush()
        if self._file is not None:
            self._file.began = self._file.size

    def write(self, chunk: bytes) -> None:
        """What the file does not take waits in memory, up to the bound; beyond it lines are lost and counted."""
        self._hold(chunk)
        self.flush()

    def flush(self) -> None:
        """Writes what waits, as far as the disk takes it."""
        try:
            self._file = self._file or LogFile(self.path)
            while self._held:
                written = self._file.write(bytes(self._held[:STEP_BYTES]))
                del self._held[:written]
            self.fault = ""
        except OSError as error:
            self.fault = error.strerror or str(error)

    def _hold(self, chunk: bytes) -> None:
        """Takes whole lines up to the limit, one chunk beyond it at most; what comes then is lost."""
        if self._cut:  # first comes the rest of a lost line
            chunk = self._lose(chunk, chunk.find(b"\n") + 1 or len(chunk))
        if len(self._held) >= self.limit and chunk:
            end = chunk.find(b"\n") + 1 if self._amid else 0
            if self._amid and not end:
                self._held += b"\n"  # a line longer than a chunk: its end is lost
                self._amid = False
            self._lose(chunk[end:], len(chunk) - end)
            chunk = chunk[:end]
        if chunk:
            self._held += chunk
            self._amid = not chunk.endswith(b"\n")

    def _lose(self, chunk: bytes, count: int) -> bytes:
        """Counts the first `count` bytes as lost; what follows them."""
        if lost := chunk[:count]:
            self.lost_lines += lost.count(b"\n")
            self._cut = not lost.endswith(b"\n")
        return chunk[count:]

    def tail(self) -> list[str]:
        """The last ten lines of this life, written or not."""
        written = tail(self.path, since=self._file.began if self._file else 0)
        return [*written, *self._held[-65536:].decode(errors="replace").splitlines()][-10:]

    def close(self) -> None:
        """What still waits is lost."""
        self.flush()
        self._lose(bytes(self._held), len(self._held))
        self._held.clear()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
