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

    OSError from `write` leaves it usable: the same again later may fit.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
        self.path, self.max_bytes, self.max_files = path, max_bytes, max_files
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self.size = path.stat().st_size
        self._ended = True  # what is in the file ends with a line's end
        try:
            self._mend_last_line()
        except OSError:
            self._file.close()
            raise
        self.began = self.size  # where this start's lines begin in the file

    def _mend_last_line(self) -> None:
        """A killed writer may have left half a line: end it, so that the next run's first line stands alone."""
        if self.size == 0:
            return
        with self.path.open("rb") as handle:
            handle.seek(-1, os.SEEK_END)
            if handle.read(1) != b"\n":
                self.write(b"\n")

    def write(self, chunk: bytes) -> int:
        """How many of its bytes were written, as with os.write: at least one, else OSError and none of them.

        Fewer than all where the disk is nearly full, and at the line's end behind which the next call rotates.
        """
        if self.size > self.max_bytes:
            if self._ended:
                self._rotate()
            else:
                chunk = chunk[: chunk.find(b"\n") + 1 or None]
        written = self._file.write(chunk)
        self.size += written
        self._ended = chunk[written - 1] == ord("\n")
        return written

    def _rotate(self) -> None:
        waiting = rotated(self.path)
        number = _number(waiting[-1]) + 1 if waiting else 1
        with contextlib.suppress(FileNotFoundError):  # renamed before, when no new file could be made
            self.path.rename(self.path.with_name(f"{self.path.name}.{number}"))
        for surplus in waiting[: max(0, len(waiting) - self.max_files + 2)]:
            surplus.unlink(missing_ok=True)
            logger.warning("%s was never shipped and makes room for newer lines", surplus.name)
        fresh = self.path.open("ab", buffering=0)
        self._file.close()
        self._file, self.size, self.began = fresh, 0, 0

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
