"""`workshop logs`: the lines the services wrote, as `docker compose logs` shows a project's."""

from __future__ import annotations

import heapq
import re
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from workshop.errors import WorkshopError
from workshop.paths import RunPaths
from workshop.run import state, tailer
from workshop.run.losses import notices
from workshop.run.neighbours import pointer
from workshop.run.tailer import Piece, Position

SUPERVISOR = "supervisor"  # its log, of what it started and stopped, is shown when it is asked for
FOLLOW_SECONDS = 0.2  # between two looks at the files
COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow", "bright_green")
# The services' JSON, PostgreSQL and the supervisor all write one; a space or a T, a dot or a comma in it.
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{3}")


def show(paths: RunPaths, asked: Sequence[str], last: int | None, *, follow: bool) -> None:
    """Prints the `last` lines (None: all) of each service asked for, of every one when none is; oldest first."""
    names = _known(paths, asked)
    prefixes = _prefixes(names)
    written = {name: _written(paths.logs / f"{name}.log", last) for name in names}
    _print({name: each.lines for name, each in written.items()}, prefixes)
    _print_notices(paths)
    if follow:
        for lines in _coming(paths, {name: each.after for name, each in written.items()}):
            _print(lines, prefixes)


def _known(paths: RunPaths, asked: Sequence[str]) -> list[str]:
    """The names to show: those of the run, or of the files that an ended one left. WorkshopError for any other."""
    run = state.running(paths)
    files = sorted(file.stem for file in paths.logs.glob("*.log"))
    names = (
        [service["name"] for service in run["services"]] if run else [name for name in files if name != SUPERVISOR]
    )
    if not names and SUPERVISOR not in files:
        raise WorkshopError(f"there are no logs in {paths.logs}: nothing has run there yet.{pointer(paths)}")
    if unknown := [name for name in asked if name not in (*names, *files)]:
        raise WorkshopError(f"there is no log of {unknown[0]}. There are: {', '.join((*names, SUPERVISOR))}.")
    return list(dict.fromkeys(asked)) or names


def _written(path: Path, last: int | None) -> Piece:
    """The last lines so far, a last one without its newline too, and the position behind them."""
    lines: deque[str] = deque(maxlen=last)
    after = Position()
    while (piece := tailer.read(path, after)).after != after:
        lines.extend(piece.lines)
        after = piece.after
    rest, end = tailer.unfinished(path, after)
    lines.extend(rest)
    return Piece(list(lines), end)


def _print(lines: Mapping[str, Sequence[str]], prefixes: Mapping[str, str]) -> None:
    for _, name, line in heapq.merge(*(_timed(name, written) for name, written in lines.items())):
        sys.stdout.write(f"{prefixes[name]}{line}\n")
    sys.stdout.flush()


def _print_notices(paths: RunPaths) -> None:
    """Lines that a full disk keeps from where they are looked for; on stderr, as they are no log."""
    if run := state.running(paths):
        for line in notices(run, paths):
            print(f"workshop: {line}", file=sys.stderr)


def _timed(name: str, lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """(time, name, line), in order of time: a line without one has that of the line before it."""
    newest = ""
    for line in lines:
        if found := TIMESTAMP.search(line):
            newest = max(newest, found[0].replace("T", " ").replace(",", "."))
        yield newest, name, line


def _coming(paths: RunPaths, positions: dict[str, Position]) -> Iterator[dict[str, list[str]]]:
    """Lines of each service as they are written, until the run has ended."""
    alive = True
    while alive:
        alive = state.running(paths) is not None  # asked first: then come the lines of its end
        pieces = {name: tailer.read(paths.logs / f"{name}.log", after) for name, after in positions.items()}
        positions = {name: piece.after for name, piece in pieces.items()}
        if any(piece.lines for piece in pieces.values()):
            yield {name: piece.lines for name, piece in pieces.items()}
        elif alive:
            time.sleep(FOLLOW_SECONDS)


def _prefixes(names: Sequence[str]) -> dict[str, str]:
    """`name | ` in a color of its own; nothing for a single one. Rendered once, as rich is slow by the line."""
    if len(names) == 1:
        return {names[0]: ""}
    console, width = Console(), max(map(len, names), default=0)
    return {
        name: _rendered(console, f"{name:{width}} | ", COLOURS[i % len(COLOURS)]) for i, name in enumerate(names)
    }


def _rendered(console: Console, text: str, color: str) -> str:
    with console.capture() as capture:
        console.print(Text(text, style=color), end="", soft_wrap=True)
    return capture.get()
