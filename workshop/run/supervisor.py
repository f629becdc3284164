"""Keeps a stage running: `python -m workshop.run.supervisor` with a JSON request, started by `workshop up`.

Commands come in on its standard input, a line each; when that ends without `detach` having come, the
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
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.guard import Guard
from workshop.paths import RunPaths, flags, program
from workshop.plan import POCKET, Plan, make_plan
from workshop.run import control, state
from workshop.run.events import EventWriter
from workshop.run.logwatch import LogWatch
from workshop.run.open_files import raise_limit
from workshop.run.ports import require_ports, warning
from workshop.run.shipper import PushClient, Shipper, ShipperThread
from workshop.run.unit import StartError, Unit
from workshop.run.units import Units

# What an earlier run of the same folder may need to end: its services' 10 s, then the database's checkpoint.
END_SECONDS = 20.0
logger = logging.getLogger("workshop.supervisor")


class Supervisor:
    """Starts the plan's processes, keeps them, stops them; obeys commands, and `workshop stop` and `start`."""

    def __init__(self, plan: Plan, say: EventWriter, guard: Guard, run_id: str) -> None:
        self.plan, self.say, self.guard = plan, say, guard
        self.units = Units(plan.paths.logs, guard, self._changed, {state.RUN_VARIABLE: run_id})
        self.phase = "starting"
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.stop_asked = asyncio.Event()
        self.detached = False
        self._shipping = ShipperThread(_shipper(plan))
        self._log_watch = LogWatch(self.units, say, self._save)

    async def run(self) -> int:
        """Until someone asks to stop, or a child fails to start. The exit code."""
        self._listen()
        for spec in self.plan.specs:
            self.units.add(spec)
        self.units.start()
        self._shipping.start()
        watching = asyncio.create_task(self._log_watch.run())
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
            watching.cancel()
        return 0

    async def _until_ready(self) -> None:
        """All healthy, or asked to stop; StartError of the first child that does not make it."""
        ready = asyncio.create_task(self.units.ready())
        asked = asyncio.create_task(self.stop_asked.wait())
        try:
            await asyncio.wait((ready, asked), return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
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
        state.save(
            self.plan.paths,
            state.RunState(
                stage=self.plan.stage,
                offset=self.plan.offset,
                supervisor=os.getpid(),
                guard=self.guard.pid,
                started=self.started,
                state=self.phase,
                services=self.units.states(),
            ),
        )

    # --- what it is told --------------------------------------------------------------------------------------

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop)
        loop.add_signal_handler(control.WAKE, lambda: self.units.fulfill(control.stopped(self.plan.paths)))
        self._commands = asyncio.create_task(self._follow_commands())

    def _ask_to_stop(self) -> None:
        if self.stop_asked.is_set():
            self.units.force()
        self.stop_asked.set()

    async def _follow_commands(self) -> None:
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
            self.units.add(self.plan.traffic)
            self.units.start()

    # --- the end ----------------------------------------------------------------------------------------------

    async def _stop_all(self) -> None:
        """The pocket stack last, after the last log lines."""
        self.phase = "stopping"
        asyncio.get_running_loop().add_signal_handler(control.WAKE, lambda: None)
        await self.units.stop(set(self.units) - {POCKET})
        await asyncio.to_thread(self._shipping.finish, drain=self.units[POCKET].pid is not None)
        await self.units.stop({POCKET})
        await self.units.end()
        self._log_watch.look()
        self.plan.paths.state.unlink(missing_ok=True)
        self.say("stopped")


def _shipper(plan: Plan) -> Shipper:
    names = [spec.name for spec in plan.specs if spec.ships_logs]
    return Shipper(plan.paths.logs, names, plan.paths.positions, plan.project.name, PushClient(plan.alloy_port))


async def supervise(plan: Plan, say: EventWriter, held: int) -> int:
    run_id = uuid.uuid4().hex
    state.claim(held, run_id)
    with Guard(keeps=held) as guard:
        code = await Supervisor(plan, say, guard, run_id).run()
    state.claim(held, "")  # the guard has ended what there was
    return code


def main(arguments: Sequence[str]) -> int:
    """`arguments[0]` is the request: {"root", "stage", "offset", "data_dir"}."""
    request = json.loads(arguments[0])
    paths = RunPaths(Path(request["data_dir"]))
    say = EventWriter(paths.logs / "supervisor.log")
    try:
        held = _lock(paths)
        _end_orphans(paths, say)
        paths.state.unlink(missing_ok=True)
        paths.stopped.unlink(missing_ok=True)
        plan = make_plan(Path(request["root"]), request["stage"], request["offset"], paths)
        require_ports(plan.specs, plan.offset, paths)
        for line in (warning(plan.specs, plan.offset), raise_limit()):
            if line:
                say("note", detail=line)
        return asyncio.run(supervise(plan, say, held))
    except WorkshopError as error:
        say("error", detail=str(error), lines=[])
        return error.code


def _lock(paths: RunPaths) -> int:
    """Waits for a run that is ending, killed ones too: `down` in one terminal, `up` in the next."""
    deadline = time.monotonic() + END_SECONDS
    while (held := state.lock(paths)) is None:
        run = state.read(paths)
        if run and state.alive(run["supervisor"]) and run["state"] != "stopping":
            raise WorkshopError(_already(paths, run))
        if time.monotonic() > deadline:
            raise WorkshopError(f"a run in {paths.data_dir} does not end: {program()} down{flags(paths, 0)}")
        time.sleep(0.05)
    return held


def _end_orphans(paths: RunPaths, say: EventWriter) -> None:
    if not state.run_id(paths):  # the run before ended as it should
        return
    from workshop.run.orphans import end_orphans  # psutil takes 0.1 s

    if line := end_orphans(paths):
        say("note", detail=line)


def _already(paths: RunPaths, run: state.RunState) -> str:
    what = f"stage {run['stage']} runs already on port offset {run['offset']}"
    down = f"{program()} down{flags(paths, run['offset'])}"
    return f"{what}. Stop it first ({down}), or start another beside it with --port-offset."


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
