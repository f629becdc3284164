"""Links of the form [`fragment`](path#L12): the fragment must stand on that line of that file.

`python tests/docs/source_lines.py` moves the numbers after the code has moved.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("implementation-notes.md",)
LINK = re.compile(r"\[`([^`]+)`\]\(([^)#\s]+)#L(\d+)\)")


def links(document: str) -> list[tuple[str, str, int]]:
    """(fragment, path, line) of every link of a document."""
    found = LINK.findall((ROOT / document).read_text())
    return [(fragment, path, int(line)) for fragment, path, line in found]


def lines_with(fragment: str, path: str) -> list[int]:
    """The numbers (from 1) of the lines of a file that contain the fragment; [] if there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return []
    return [number for number, line in enumerate(file.read_text().splitlines(), 1) if fragment in line]


def _moved(match: re.Match[str]) -> str:
    fragment, path, line = match[1], match[2], int(match[3])
    found = lines_with(fragment, path)
    if not found:
        print(f"{path} has no line with {fragment!r}", file=sys.stderr)
        return match[0]
    nearest = min(found, key=lambda number: abs(number - line))
    return f"[`{fragment}`]({path}#L{nearest})"


if __name__ == "__main__":
    for name in DOCUMENTS:
        (ROOT / name).write_text(LINK.sub(_moved, (ROOT / name).read_text()))
