"""What a stage adds to the one before it: files first, then the changes themselves. Needs no git.

Tests and copies (the telemetry/ that a new service takes over as it is) are named, and their lines not shown: they
are two thirds of stage 2's and of stage 3's difference, and none of it is the idea.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

SKIPPED_PARTS = {
    *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".venv"),
    "first-steps",  # stage 1's introduction: no later stage has it, and none takes it away
}
LONG_LINES = 400  # a generated dashboard is named, not printed, beyond this


@dataclass(frozen=True)
class FileChange:
    path: str
    kind: str  # added, changed, removed, copied
    lines: tuple[str, ...]  # unified diff; empty when it is not text
    original: str = ""  # of a copy: the file of the same stage that it equals

    @property
    def added(self) -> int:
        return sum(line.startswith("+") and not line.startswith("+++") for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.startswith("-") and not line.startswith("---") for line in self.lines)

    @property
    def is_test(self) -> bool:
        return "tests" in PurePosixPath(self.path).parts

    @property
    def beside_the_idea(self) -> bool:
        return self.is_test or self.kind == "copied"


def compare(before: Path, after: Path) -> list[FileChange]:
    """Every file that differs, by path."""
    old, new = _contents(before), _contents(after)
    there = {content: name for name, content in reversed(new.items()) if name in old}
    changes = [_change(name, old.get(name), new.get(name), there) for name in sorted(old.keys() | new.keys())]
    found = [change for change in changes if change is not None]
    return sorted(found, key=lambda change: change.path == "README.md")  # prose last: the code is what one reads


def _contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not SKIPPED_PARTS & set(path.parts))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found if path.suffix != ".pyc"}


def _change(name: str, old: bytes | None, new: bytes | None, there: dict[bytes, str]) -> FileChange | None:
    """`there`: the contents that the stage has from the one before, with the file of each."""
    if old == new:
        return None
    original = there.get(new, "") if old is None and new else ""
    kind = "copied" if original else "changed" if None not in (old, new) else "removed" if new is None else "added"
    try:
        one, two = ((content or b"").decode().splitlines() for content in (old, new))
    except UnicodeDecodeError:
        return FileChange(name, kind, (), original)
    diff = difflib.unified_diff(one, two, f"before/{name}", f"after/{name}", lineterm="")
    return FileChange(name, kind, tuple(diff), original)


def show(console: Console, changes: list[FileChange], stage: int, *, everything: bool = False) -> None:
    """The summary, then each file's diff; through a pager on a terminal."""
    if console.is_terminal:
        with console.pager(styles=True, links=False):
            _print(console, changes, stage, everything)
    else:
        _print(console, changes, stage, everything)


def _print(console: Console, changes: list[FileChange], stage: int, everything: bool) -> None:
    table = Table("", "file", "+", "−", title=f"Stage {stage - 1} → stage {stage}", title_justify="left", box=None)
    styles = {"added": "green", "changed": "yellow", "removed": "red", "copied": "dim"}
    for change in changes:
        kind = f"[{styles[change.kind]}]{change.kind}[/]"
        name = f"{change.path} [dim](= {change.original})[/]" if change.original else change.path
        table.add_row(kind, name, str(change.added), str(change.removed))
    console.print(table)
    hidden = [] if everything else [change for change in changes if change.beside_the_idea]
    for change in changes:
        if change not in hidden:
            _print_change(console, change)
    if hidden:
        console.print(_not_shown(hidden, stage), style="dim", soft_wrap=True)


def _not_shown(hidden: list[FileChange], stage: int) -> str:
    lines = sum(len(change.lines) for change in hidden)
    tests, copies = (sum(change.is_test is wanted for change in hidden) for wanted in (True, False))
    named = f"Not shown: {tests} test files and {copies} copies, {lines} lines."
    return f"{named} `workshop diff {stage} --all` has them."


def _print_change(console: Console, change: FileChange) -> None:
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
