"""Keeps a stage running: `python -m workshop.run.supervisor` with a JSON request, started by `workshop up`.

Its standard input is the leash: commands come in as lines, and when it ends without `detach` having come, the
command that started this is gone and everything is stopped. Standard output carries the events.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from workshop.errors import WorkshopError
from workshop.paths import RunPaths, flags
from workshop.plan import Plan, make_plan
from workshop.run import control, state
from workshop.run.events import EventWriter
from workshop.run.guard import Guard
from workshop.run.ports import require_free
from workshop.run.shipper import PushClient, Shipper
from workshop.run.spec import ProcessSpec
from workshop.run.unit import StartError, Unit

DRAIN_SECONDS = 2.0  # for the last log lines, once the services are gone and before the pocket stack goes
POCKET = "pocket"
logger = logging.getLogger("workshop.supervisor")


class Supervisor:
    """Starts the plan's processes, keeps them, stops them in reverse order."""

    def __init__(self, plan: Plan, say: EventWriter, guard: Guard) -> None:
        self.plan, self.say, self.guard = plan, say, guard
        self.units: dict[str, Unit] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.phase = "starting"
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.stop_asked = asyncio.Event()
        self.detached = False
        self._fulfilling: set[asyncio.Task[None]] = set()
        self._shipping = threading.Event()
        self._shipper = self._make_shipper()
        self._shipper_thread = threading.Thread(target=self._shipper.run, args=(self._shipping,), daemon=True)

    def _make_shipper(self) -> Shipper:
        names = [spec.name for spec in self.plan.specs if spec.ships_logs]
        plan, send = self.plan, PushClient(self.plan.alloy_port)
        return Shipper(plan.paths.logs, names, plan.paths.positions, plan.project.name, send)

    async def run(self) -> int:
        """Until someone asks to stop, or a child fails to start. The exit code."""
        self._listen()
        for spec in self.plan.specs:
            self._add(spec)
        self._start_all()
        self._shipper_thread.start()
        try:
            await self._until_ready()
            if not self.stop_asked.is_set():
                self.phase = "up"
                self._save()
                self.say("ready")
            await self.stop_asked.wait()
        except StartError as failure:
            log = str(self.plan.paths.logs / f"{failure.name}.log") if failure.lines else ""
            self.say("error", detail=str(failure), name=failure.name, lines=failure.lines, log=log)
            return 1
        finally:
            await self._stop_all()
        return 0

    def _add(self, spec: ProcessSpec) -> Unit:
        unit = Unit(spec, self.plan.paths.logs / f"{spec.name}.log", self.guard, self._changed)
        self.units[spec.name] = unit
        return unit

    def _start_all(self) -> None:
        for name, unit in self.units.items():
            if name not in self.tasks:
                self.tasks[name] = asyncio.create_task(unit.run(self.units), name=name)

    async def _until_ready(self) -> None:
        """All healthy, or asked to stop; StartError of the first child that does not make it."""
        ready = asyncio.gather(*(unit.healthy.wait() for unit in self.units.values()))
        asked = asyncio.create_task(self.stop_asked.wait())
        pending: set[asyncio.Future[object]] = {ready, asked, *self.tasks.values()}  # type: ignore[arg-type]
        try:
            while not ready.done() and not asked.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    future.result()
        finally:
            ready.cancel()
            asked.cancel()

    def _changed(self, unit: Unit, detail: str) -> None:
        try:
            self.say("unit", name=unit.spec.name, state=unit.state, detail=detail)
            self._save()
        except OSError as error:  # a full disk, and no reason to end a service
            logger.warning("%s is %s, which cannot be written down: %s", unit.spec.name, unit.state, error)

    def _save(self) -> None:
        state.write_atomically(
            self.plan.paths.state,
            state.RunState(
                stage=self.plan.stage,
                offset=self.plan.offset,
                supervisor=os.getpid(),
                guard=self.guard.pid,
                started=self.started,
                state=self.phase,
                services=[_service_state(unit) for unit in self.units.values()],
            ),
        )

    # --- the leash -------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop)
        loop.add_signal_handler(control.WAKE, self._wake)
        self._leash = asyncio.create_task(self._follow_leash())

    def _ask_to_stop(self) -> None:
        if self.stop_asked.is_set():
            for unit in self.units.values():
                unit.force()
        self.stop_asked.set()

    async def _follow_leash(self) -> None:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            self._obey(line.decode().strip())
        if not self.detached:
            self.stop_asked.set()

    def _obey(self, command: str) -> None:
        if command == "detach":
            self.detached = True
            self.say.detach()
        elif command == "traffic" and self.plan.traffic and self.plan.traffic.name not in self.units:
            self._add(self.plan.traffic)
            self._start_all()

    # --- single services, by hand ---------------------------------------------------------------------------

    def _wake(self) -> None:
        task = asyncio.create_task(self._fulfil())
        self._fulfilling.add(task)
        task.add_done_callback(self._fulfilling.discard)

    async def _fulfil(self) -> None:
        """Stops and starts what `workshop stop` and `workshop start` ask for."""
        wanted = control.stopped(self.plan.paths)
        for name, unit in list(self.units.items()):
            if name in wanted and not unit.stopping:
                await unit.stop()
            elif name not in wanted and unit.state == "stopped" and self.phase == "up":
                again = self._add(unit.spec)
                self.tasks[name] = asyncio.create_task(self._once_more(again), name=name)

    async def _once_more(self, unit: Unit) -> None:
        """A service that was started by hand and fails is no reason to stop the others."""
        try:
            await unit.run(self.units)
        except StartError as failure:
            unit.state = "exited"
            self._changed(unit, str(failure))

    # --- the end ---------------------------------------------------------------------------------------------

    async def _stop_all(self) -> None:
        """Dependents before what they depend on; the pocket stack last, after the last log lines."""
        self.phase = "stopping"
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop)
        services = [unit for name, unit in self.units.items() if name != POCKET]
        await asyncio.gather(*(self._stop_after_dependents(unit) for unit in services))
        if self._shipper_thread.ident is not None:
            self._shipping.set()
            await asyncio.to_thread(self._shipper_thread.join)
            if self.units[POCKET].pid:
                await asyncio.to_thread(self._shipper.drain, DRAIN_SECONDS)
        await self.units[POCKET].stop()
        await self._end_tasks()
        self.plan.paths.state.unlink(missing_ok=True)
        self.say("stopped")

    async def _stop_after_dependents(self, unit: Unit) -> None:
        for other in self.units.values():
            if unit.spec.name in other.spec.depends_on and other.started.is_set():
                await other.gone.wait()
        await unit.stop()

    async def _end_tasks(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


def _service_state(unit: Unit) -> state.ServiceState:
    return state.ServiceState(
        name=unit.spec.name,
        state=unit.state,
        pid=unit.pid,
        ports=unit.spec.ports,
        url=unit.spec.url,
        restarts=unit.restarts,
        exit_code=unit.exit_code,
    )


async def supervise(plan: Plan, say: EventWriter) -> int:
    with Guard() as guard:
        return await Supervisor(plan, say, guard).run()


def main(arguments: Sequence[str]) -> int:
    """`arguments[0]` is the request: {"root", "stage", "offset", "data_dir"}."""
    request = json.loads(arguments[0])
    paths = RunPaths(Path(request["data_dir"]))
    held: IO[str] | None = state.lock(paths)
    say = EventWriter(paths.logs / "supervisor.log")
    try:
        if held is None:
            raise WorkshopError(_already(paths))
        paths.state.unlink(missing_ok=True)
        paths.stopped.unlink(missing_ok=True)
        plan = make_plan(Path(request["root"]), request["stage"], request["offset"], paths)
        require_free(plan.specs, plan.offset)
        return asyncio.run(supervise(plan, say))
    except WorkshopError as error:
        say("error", detail=str(error), lines=[])
        return error.code


def _already(paths: RunPaths) -> str:
    run = state.read(paths)
    if run is None:
        return f"a run is starting or stopping in {paths.data_dir}: wait a moment and try again."
    what = f"stage {run['stage']} runs already on port offset {run['offset']}"
    down = f"workshop down{flags(paths, run['offset'])}"
    return f"{what}. Stop it first ({down}), or start another beside it with --port-offset."


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
