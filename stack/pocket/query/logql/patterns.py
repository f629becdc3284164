"""Loki's patterns, `<ip> - <_> [<time>]`: for the parser (captures) and for line filters `|>` (a test)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

_CAPTURE = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>")


@dataclass(frozen=True, slots=True)
class Piece:
    text: str  # a literal, or a capture's name
    capture: bool

    @property
    def named(self) -> bool:
        return self.capture and self.text != "_"


@lru_cache(maxsize=128)
def label_pattern(text: str) -> tuple[Piece, ...]:
    """Pieces of a pattern with at least one named capture, no two adjacent, no name twice. Raises ValueError."""
    pieces = _pieces(text)
    names = [piece.text for piece in pieces if piece.named]
    if not names:
        raise ValueError("at least one capture is required")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"duplicate capture name ({name}): invalid expression")
    return pieces


@lru_cache(maxsize=128)
def line_pattern(text: str) -> tuple[Piece, ...]:
    """Pieces of a line filter's pattern: its captures are `<_>` only. Raises ValueError."""
    pieces = _pieces(text)
    for piece in pieces:
        if piece.named:
            raise ValueError(f"named captures are not allowed: found '<{piece.text}>'")
    return pieces


def _pieces(text: str) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for index, part in enumerate(_CAPTURE.split(text)):
        if part:
            pieces.append(Piece(part, index % 2 == 1))
    for left, right in itertools.pairwise(pieces):
        if left.capture and right.capture:
            raise ValueError(f"found consecutive capture '<{left.text}><{right.text}>': invalid expression")
    return tuple(pieces)


def captures(pieces: tuple[Piece, ...], line: str) -> list[tuple[str, str]]:
    """(name, text) of each named capture. A literal that is missing ends the match: the capture takes the rest."""
    if not line:
        return []
    rest, start = line, 0
    if not pieces[0].capture:
        if not line.startswith(pieces[0].text):
            return []
        rest, start = line[len(pieces[0].text) :], 1
    found: list[tuple[str, str]] = []
    for index in range(start, len(pieces), 2):
        literal = pieces[index + 1].text if index + 1 < len(pieces) else None
        text, separator, after = rest.partition(literal) if literal else (rest, "", "")
        if pieces[index].named:
            found.append((pieces[index].text, text))
        if not separator:
            break
        rest = after
    return found


def matches(pieces: tuple[Piece, ...], line: str) -> bool:
    """Whether the whole line fits (pattern.go Test): no anchor at the start, captures not empty."""
    if not line or not pieces:
        return not line and not pieces
    position = 0
    for index, piece in enumerate(pieces):
        if piece.capture:
            continue
        at = line.find(piece.text, position)
        if at < 0 or (index and at == position):
            return False
        position = at + len(piece.text)
    return pieces[-1].capture == (position != len(line))
