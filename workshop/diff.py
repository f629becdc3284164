"""What a stage adds to the one before it: files first, then the changes themselves. Needs no git."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

SKIPPED_PARTS = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".venv"}
LONG_LINES = 400  # a generated dashboard is named, not printed, beyond this


@dataclass(frozen=True)
class FileChange:
    path: str
    kind: str  # added, changed, removed
    lines: tuple[str, ...]  # unified diff; empty when it is not text

    @property
    def added(self) -> int:
        return sum(line.startswith("+") and not line.startswith("+++") for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.startswith("-") and not line.startswith("---") for line in self.lines)


def compare(before: Path, after: Path) -> list[FileChange]:
    """Every file that differs, by path."""
    old, new = _files(before), _files(after)
    changes = [_change(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]
    found = [change for change in changes if change is not None]
    return sorted(found, key=lambda change: change.path == "README.md")  # prose last: the code is what one reads


def _files(folder: Path) -> dict[str, Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and not SKIPPED_PARTS & set(path.parts))
    return {path.relative_to(folder).as_posix(): path for path in found if path.suffix != ".pyc"}


def _change(name: str, old: Path | None, new: Path | None) -> FileChange | None:
    before, after = (path.read_bytes() if path else b"" for path in (old, new))
    if old and new and before == after:
        return None
    kind = "changed" if old and new else "added" if new else "removed"
    try:
        one, two = (content.decode().splitlines() for content in (before, after))
    except UnicodeDecodeError:
        return FileChange(name, kind, ())
    diff = difflib.unified_diff(one, two, f"before/{name}", f"after/{name}", lineterm="")
    return FileChange(name, kind, tuple(diff))


def show(console: Console, changes: list[FileChange], stage: int) -> None:
    """The summary, then each file's diff; through a pager on a terminal."""
    if console.is_terminal:
        with console.pager(styles=True, links=False):
            _print(console, changes, stage)
    else:
        _print(console, changes, stage)


def _print(console: Console, changes: list[FileChange], stage: int) -> None:
    table = Table("", "file", "+", "−", title=f"Stage {stage - 1} → stage {stage}", title_justify="left", box=None)
    styles = {"added": "green", "changed": "yellow", "removed": "red"}
    for change in changes:
        kind = f"[{styles[change.kind]}]{change.kind}[/]"
        table.add_row(kind, change.path, str(change.added), str(change.removed))
    console.print(table)
    for change in changes:
        if change.lines and len(change.lines) <= LONG_LINES:
            _print_lines(console, "\n".join(change.lines))
        elif change.lines:
            console.print(f"{change.path}: {len(change.lines)} lines of difference, not shown", style="dim")


def _print_lines(console: Console, text: str) -> None:
    """Whole lines: a program that reads them gets them unchanged, a terminal's reader wrapped."""
    if console.is_terminal:
        console.print(Syntax(text, "diff", theme="ansi_light", background_color="default", word_wrap=True))
    else:
        console.file.write(text + "\n")
