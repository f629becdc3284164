"""The supervisor's look at its children's backlogs: writes what waits, and says what waits and what is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from workshop.run.events import EventWriter
from workshop.run.units import Units

LOOK_SECONDS = 1.0
logger = logging.getLogger("workshop.logwatch")


class Figures(NamedTuple):
    fault: str = ""
    waiting: int = 0
    lost: int = 0


class LogWatch:
    """`run` looks once a second; `save` is called after every change that it saw."""

    def __init__(self, units: Units, say: EventWriter, save: Callable[[], None]) -> None:
        self._units, self._say, self._save = units, say, save
        self._before: dict[str, Figures] = {}
        self._most: dict[str, int] = {}  # lines that waited at once, since the fault began

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._say.flush()
            for unit in self._units.values():
                unit.log.flush()
            try:
                self.look()
            except OSError as error:  # a full disk, and no reason to look away
                logger.warning("what waits cannot be written down: %s", error)

    def look(self) -> None:
        """Says what has changed since the last look, and saves it."""
        now = {
            name: Figures(unit.log.fault, unit.log.waiting_lines, unit.log.lost_lines)
            for name, unit in self._units.items()
        }
        before, self._before = self._before, now
        for name, figures in now.items():
            self._tell(name, before.get(name, Figures()), figures)
        if any(figures != before.get(name, Figures()) for name, figures in now.items()):
            self._save()

    def _tell(self, name: str, before: Figures, now: Figures) -> None:
        """When lines begin to wait, to be lost, and when they are written again."""
        if now.fault and not before.fault:
            self._say("note", name=name, detail=f"log lines wait in memory: {now.fault}")
        if now.lost and not before.lost:
            self._say("note", name=name, detail="log lines are lost: the memory for them is full")
        self._most[name] = max(self._most.get(name, 0), now.waiting)
        if before.fault and not now.fault:
            most = self._most.pop(name)
            detail = f"log lines are written again: {most} had waited, {now.lost} are lost since the start"
            self._say("note", name=name, detail=detail)
