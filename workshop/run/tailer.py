"""Follows one log file through rotation and truncation, from a saved position, whole lines only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workshop.run.logfile import rotated

CHUNK_BYTES = 512 << 10  # also the longest line: more without a newline goes as it is


@dataclass(frozen=True)
class Position:
    """Where to read on: the file's inode, which a rename does not change, and the byte offset in it."""

    inode: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Piece:
    """Lines read at once, the position behind them, and rotated files that end with them."""

    lines: list[str]
    after: Position
    finished: tuple[Path, ...] = ()


def read(path: Path, position: Position, limit: int = CHUNK_BYTES) -> Piece:
    """The next lines of `path` or its rotated parts. An unfinished last line is left for the next time.

    A position in a file that is gone continues with the oldest part there is; a file shorter than the offset was
    truncated and is read from its start.
    """
    found = [(part, inode) for part in (*rotated(path), path) if (inode := _inode(part))]
    if not found:
        return Piece([], position)
    parts, inodes = [part for part, _ in found], [inode for _, inode in found]
    at = inodes.index(position.inode) if position.inode in inodes else 0
    offset = position.offset if position.inode == inodes[at] else 0
    newest = at == len(parts) - 1
    data, offset = _chunk(parts[at], inodes[at], offset, limit, complete=not newest)
    after = Position(inodes[at], offset + len(data))
    if newest or data:
        return Piece(_lines(data), after)
    return Piece([], Position(inodes[at + 1], 0), (parts[at],))


def unfinished(path: Path, position: Position) -> tuple[list[str], Position]:
    """What stands behind `position` without a newline, a killed writer's last words; the position behind it."""
    data, offset = _chunk(path, position.inode, position.offset, CHUNK_BYTES, complete=True)
    return _lines(data), Position(position.inode, offset + len(data))


def _inode(path: Path) -> int:
    """0 where there is none, or none any more: rotated this very moment."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _chunk(path: Path, inode: int, offset: int, limit: int, *, complete: bool) -> tuple[bytes, int]:
    """Bytes from `offset` to the end of a line, and the offset they begin at."""
    try:
        with path.open("rb") as handle:
            status = os.fstat(handle.fileno())
            if status.st_ino != inode:  # rotated between listing and opening: next time
                return b"", offset
            offset = offset if offset <= status.st_size else 0
            handle.seek(offset)
            data = handle.read(limit)
    except FileNotFoundError:
        return b"", offset
    end = data.rfind(b"\n") + 1
    if end == 0 and (complete or len(data) == limit):
        end = len(data)
    return data[:end], offset


def _lines(data: bytes) -> list[str]:
    return [line for line in data.decode("utf-8", errors="replace").split("\n") if line.strip()]
