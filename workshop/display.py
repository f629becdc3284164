"""What `up` shows while it starts: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

WELL, ILL = ("✓", "green"), ("✗", "red")
SETTLED = {"healthy": WELL, "completed": WELL, "exited": ILL, "unhealthy": ILL}


class StartDisplay:
    """Feed it the supervisor's events; it shows each unit with its state and the seconds it took."""

    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title, self._began = console, title, time.monotonic()
        self._units: dict[str, tuple[str, float]] = {}
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draws for as long as it is entered."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._table, console=self._console, refresh_per_second=10) as live:
            self._live = live
            yield

    def seen(self, event: dict[str, Any]) -> None:
        """Takes one of the supervisor's events."""
        if event["type"] == "note":
            self._console.print(told(event), highlight=False, markup=False, style="yellow", soft_wrap=True)
        if event["type"] != "unit":
            return
        seconds = time.monotonic() - self._began
        self._units[event["name"]] = (event["state"], seconds)
        if self._live is None and (event["state"] in SETTLED or event["state"] == "restarting"):
            detail = f": {event['detail']}" if event["detail"] else ""
            self._console.print(f"{event['name']} {event['state']} ({seconds:.1f} s){detail}", highlight=False)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, title=self._title, title_justify="left", title_style="bold")
        for name, (state, seconds) in self._units.items():
            symbol, style = SETTLED.get(state, ("", "yellow"))
            mark = Text(symbol, style=style) if symbol else Spinner("dots", style=style)
            table.add_row(mark, name, Text(state, style=style), f"{seconds:.1f} s" if symbol else "")
        return table


def told(note: dict[str, Any]) -> str:
    """A note of the supervisor, about a service or about the run."""
    return f"{note['name']}: {note['detail']}" if "name" in note else str(note["detail"])


def busy(what: str) -> AbstractContextManager[object]:
    """A sign of life on a terminal; elsewhere nothing."""
    return Console(stderr=True).status(f"{what} …")


def show_urls(console: Console, stage: int, urls: dict[str, str]) -> None:
    """A line for each, whole: a URL that is cut leads nowhere."""
    console.print(f"[bold green]Stage {stage} is up[/]", highlight=False)
    width = max(map(len, urls))
    for what, url in urls.items():
        console.print(f"  {what:{width}}  [link={url}]{url}[/link]", highlight=False, soft_wrap=True)
