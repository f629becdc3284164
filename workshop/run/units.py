"""The children of a run as a whole: started in the order of their dependencies, stopped in the reverse one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from workshop.guard import Guard
from workshop.plan.spec import ProcessSpec
from workshop.run.backlog import Backlog
from workshop.run.state import ServiceState
from workshop.run.unit import StartError, Unit

logger = logging.getLogger("workshop.units")


class Units(Mapping[str, Unit]):
    """By name, in the order they were added. `changed` is called after every change of one's state.

    All get the variables `marks` in their environment.
    """

    def __init__(
        self, logs: Path, guard: Guard, changed: Callable[[Unit, str], None], marks: Mapping[str, str]
    ) -> None:
        self._logs, self._guard, self._changed, self._marks = logs, guard, changed, marks
        self._units: dict[str, Unit] = {}
        self._backlogs: dict[str, Backlog] = {}  # of a service's first start and all later ones
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._answering: set[asyncio.Task[None]] = set()

    def __getitem__(self, name: str) -> Unit:
        return self._units[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._units)

    def __len__(self) -> int:
        return len(self._units)

    def add(self, spec: ProcessSpec) -> Unit:
        """A unit that `start` will start."""
        log = self._backlogs.setdefault(spec.name, Backlog(self._logs / f"{spec.name}.log"))
        spec = replace(spec, environment={**spec.environment, **self._marks})
        unit = Unit(spec, log, self._guard, self._changed)
        self._units[spec.name] = unit
        return unit

    def start(self) -> None:
        """Every one that was added and not started yet; each waits for what it depends on."""
        for name, unit in self._units.items():
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(unit.run(self._units), name=name)

    async def ready(self) -> None:
        """Returns when all are healthy. StartError of the first that does not make it."""
        healthy = asyncio.gather(*(unit.healthy.wait() for unit in self._units.values()))
        waiting: set[asyncio.Future[object]] = {healthy, *self._tasks.values()}  # type: ignore[arg-type]
        try:
            while not healthy.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    future.result()
        finally:
            healthy.cancel()

    # --- single ones, by hand ---------------------------------------------------------------------------------

    def fulfill(self, stopped: set[str]) -> None:
        """Stops those of these names that run, starts those of the others that were stopped so."""
        for name, unit in list(self._units.items()):
            if name in stopped and not unit.stopping:
                self._answer(unit, unit.stop())
            elif name not in stopped and unit.state == "stopped":
                again = self.add(unit.spec)
                again.answers = unit.answers
                self._answer(again, self._start_again(again))

    def _answer(self, unit: Unit, doing: Coroutine[None, None, None]) -> None:
        async def done() -> None:
            try:
                await doing
            except Exception as error:
                logger.exception("%s cannot be stopped or started", unit.spec.name)
                unit.reason = f"{type(error).__name__}: {error}"
            unit.answers += 1
            self._changed(unit, "")

        task = asyncio.create_task(done())
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _start_again(self, unit: Unit) -> None:
        """Returns when it is healthy, or will not be soon. That is no reason to stop the others, nor itself."""
        unit.may_be_ill = True
        self._tasks[unit.spec.name] = asyncio.create_task(self._live(unit), name=unit.spec.name)
        await unit.settled.wait()

    async def _live(self, unit: Unit) -> None:
        try:
            await unit.run(self._units)
        except StartError as failure:
            unit.failed(failure)

    # --- the end ----------------------------------------------------------------------------------------------

    async def stop(self, names: set[str]) -> None:
        """Dependents before what they depend on."""
        await asyncio.gather(*(self._stop_after_dependents(self._units[name]) for name in names))

    async def _stop_after_dependents(self, unit: Unit) -> None:
        for other in self._units.values():
            if unit.spec.name in other.spec.depends_on and other.started.is_set():
                await other.gone.wait()
        await unit.stop()

    def force(self) -> None:
        """No more patience: what is being stopped is killed."""
        for unit in self._units.values():
            unit.force()

    async def end(self) -> None:
        """After `stop`: nothing of them is left."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for log in self._backlogs.values():
            log.close()

    def states(self) -> list[ServiceState]:
        """As run.json has them."""
        return [_state(unit) for unit in self._units.values()]


def _state(unit: Unit) -> ServiceState:
    return ServiceState(
        name=unit.spec.name,
        state=unit.state,
        pid=unit.pid,
        ports=unit.spec.ports,
        url=unit.spec.url,
        health_url=unit.spec.health_url,
        restarts=unit.restarts,
        exit_code=unit.exit_code,
        reason=unit.reason,
        depends_on=list(unit.spec.depends_on),
        answers=unit.answers,
        lines_waiting=unit.log.waiting_lines,
        lines_lost=unit.log.lost_lines,
        log_fault=unit.log.fault,
    )
