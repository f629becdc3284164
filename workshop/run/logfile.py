"""A child's output goes through a pipe into a file of bounded size, as Docker's json-file driver does it.

Rotation by renaming: nothing that was written is lost to the shipper, which follows the file by its inode and
deletes rotated files once their lines are delivered (see shipper.py). When the stack is away for so long that
MAX_FILES are waiting, the oldest goes, and that is said.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from pathlib import Path

MAX_BYTES = 16 << 20
MAX_FILES = 8  # with MAX_BYTES: at most 128 MiB a service, some 400 000 lines
logger = logging.getLogger("workshop.logfile")


class LogFile:
    """Appends chunks; rotates at the end of a line once the file is longer than `max_bytes`.

    OSError from `write` leaves it usable: what could not be written is lost, the next chunk may fit.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
        self.path, self.max_bytes, self.max_files = path, max_bytes, max_files
        self.dropped_files = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        self._mend_last_line()
        self.began = self._size  # where this start's lines begin in the file

    def _mend_last_line(self) -> None:
        """A killed writer may have left half a line: end it, so that the next run's first line stands alone."""
        if self._size == 0:
            return
        with self.path.open("rb") as handle:
            handle.seek(-1, os.SEEK_END)
            if handle.read(1) != b"\n":
                self._append(b"\n")

    def write(self, chunk: bytes) -> None:
        if self._size > self.max_bytes and (end := chunk.find(b"\n")) >= 0:
            self._append(chunk[: end + 1])
            self._rotate()
            chunk = chunk[end + 1 :]
        self._append(chunk)

    def _append(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:  # a disk that is nearly full takes a part
            written = self._file.write(left)
            self._size += written
            left = left[written:]

    def _rotate(self) -> None:
        waiting = rotated(self.path)
        number = _number(waiting[-1]) + 1 if waiting else 1
        with contextlib.suppress(FileNotFoundError):  # renamed before, when no new file could be made
            self.path.rename(self.path.with_name(f"{self.path.name}.{number}"))
        for surplus in waiting[: max(0, len(waiting) - self.max_files + 2)]:
            surplus.unlink(missing_ok=True)
            self.dropped_files += 1
            logger.warning("%s was never shipped and makes room for newer lines", surplus.name)
        fresh = self.path.open("ab", buffering=0)
        self._file.close()
        self._file, self._size, self.began = fresh, 0, 0

    def close(self) -> None:
        self._file.close()


def rotated(path: Path) -> list[Path]:
    """The file's rotated parts, oldest first."""
    found = (part for part in path.parent.glob(f"{path.name}.*") if re.fullmatch(r"\.\d+", part.suffix))
    return sorted(found, key=_number)


def _number(path: Path) -> int:
    return int(path.suffix[1:])


def tail(path: Path, lines: int = 10, since: int = 0) -> list[str]:
    """The file's last lines from byte `since` on, read from its last 64 KiB."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(since, path.stat().st_size - 65536))
            return handle.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []
