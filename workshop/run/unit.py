"""The life of one child: wait for what it depends on, start, become healthy, die, come back with a pause."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping

from workshop.compose.model import COMPLETED, HEALTHY, Healthcheck
from workshop.guard import Guard, signal_group
from workshop.plan.spec import ProcessSpec
from workshop.run import health
from workshop.run.backlog import Backlog

BACKOFF_SECONDS = (0.1, 30.0)  # doubling, as Docker does; back to the first after STEADY_SECONDS alive
STEADY_SECONDS = 10.0
# A slow machine's services get at least this long at first, whatever interval × retries says.
FIRST_HEALTH_SECONDS = float(os.environ.get("WORKSHOP_START_SECONDS", "30"))
POLL_SECONDS = (0.05, 0.5)  # between two looks at a starting service
PIPE_DRAIN_SECONDS = 2.0
SETTLED = {"healthy", "unhealthy", "completed", "exited", "stopped"}


class StartError(Exception):
    """A child did not come up; the message names it and says why, `lines` are the last of its log."""

    def __init__(self, name: str, reason: str, lines: list[str]) -> None:
        super().__init__(f"{name} {reason}")
        self.name, self.reason, self.lines = name, reason, lines


class Unit:
    """One ProcessSpec under supervision. `changed` is called after every change of state."""

    def __init__(
        self, spec: ProcessSpec, log: Backlog, guard: Guard, changed: Callable[[Unit, str], None]
    ) -> None:
        self.spec, self.log, self._guard, self._changed = spec, log, guard, changed
        self.state, self.pid, self.exit_code, self.restarts = "waiting", None, None, 0
        self.reason = ""  # why it is not healthy, by the last look
        self.answers = 0
        self.started, self.healthy, self.completed, self.gone = (asyncio.Event() for _ in range(4))
        self.settled = asyncio.Event()  # healthy, or not soon
        self.stopping = False
        self.may_be_ill = False  # started by hand: one that does not become healthy stays all the same
        self._force = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    pid: int | None
    exit_code: int | None

    def _set(self, state: str, detail: str = "") -> None:
        if state != self.state or detail:
            self.state = state
            if state in SETTLED:
                self.settled.set()
            self._changed(self, detail)

    def failed(self, failure: StartError) -> None:
        """It was started by hand, and is gone."""
        self.reason = failure.reason
        self._set("exited", str(failure))

    async def run(self, others: Mapping[str, Unit]) -> None:
        """Until the child is gone for good. Raises StartError when it does not come up the first time."""
        try:
            await self._dependencies(others)
            pause = BACKOFF_SECONDS[0]
            while not self.stopping:
                began = time.monotonic()
                code = await self._life()
                if self.stopping or not self._comes_back(code):
                    break
                pause = BACKOFF_SECONDS[0] if time.monotonic() - began > STEADY_SECONDS else pause
                self.restarts += 1
                self._set("restarting", f"{_ending(code)}; restarting in {pause:g} s")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._force.wait(), pause)
                pause = min(2 * pause, BACKOFF_SECONDS[1])
        finally:
            self.gone.set()

    async def _dependencies(self, others: Mapping[str, Unit]) -> None:
        for name, condition in self.spec.depends_on.items():
            if name in others:
                unit = others[name]
                events = {HEALTHY: unit.healthy, COMPLETED: unit.completed}
                await events.get(condition, unit.started).wait()

    async def _life(self) -> int:
        """Starts the child and stays with it to its end. Its exit code, negative for a signal."""
        self.log.begin()
        process = await self._spawn()
        pump = asyncio.create_task(_pump(process, self.log))
        watch = asyncio.create_task(self._watch_health())
        waiting = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({waiting, watch}, return_when=asyncio.FIRST_COMPLETED)
            if watch.done() and (reason := watch.exception()):
                raise reason
            code = await waiting
        finally:
            watch.cancel()
            self.pid = None
            signal_group(process.pid, signal.SIGKILL)  # what it may have left behind
            await waiting
            self._guard.remove(process.pid)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(pump, PIPE_DRAIN_SECONDS)
        return self._ended(code)

    async def _spawn(self) -> asyncio.subprocess.Process:
        spec = self.spec
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *spec.argv,
                cwd=spec.cwd,
                env=spec.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise StartError(spec.name, f"cannot start `{spec.argv[0]}`: {error.strerror}.", []) from None
        self._guard.add(process.pid, spec.stop_signal)
        self.pid, self.exit_code = process.pid, None
        self.started.set()
        self._set("starting")
        return process

    def _ended(self, code: int) -> int:
        self.exit_code = code
        if code == 0 and self.spec.restart in ("no", "on-failure") and not self.stopping:
            self.completed.set()
            self.healthy.set()  # a one-shot service that did its work
            self._set("completed")
        elif not self.healthy.is_set() and not self.stopping:
            raise StartError(self.spec.name, f"{_ending(code)} at start.", self.log.tail())
        elif not self._comes_back(code) and not self.stopping:
            self._set("exited", _ending(code))
        return code

    def _comes_back(self, code: int) -> bool:
        restart = self.spec.restart
        return restart in ("always", "unless-stopped") or (restart == "on-failure" and code != 0)

    async def _watch_health(self) -> None:
        reason = await self._become_healthy()
        if reason and not self.healthy.is_set() and not self.may_be_ill:
            raise StartError(self.spec.name, f"did not become healthy: {reason}.", self.log.tail())
        if reason:
            self._set("unhealthy", reason)
        else:
            self._well()
        await self._stay_healthy()

    def _well(self, detail: str = "") -> None:
        self.healthy.set()
        self._set("healthy", detail)

    async def _become_healthy(self) -> str:
        check = self.spec.healthcheck or Healthcheck((), interval=0, retries=0)
        allowed = 0.0 if self.may_be_ill else check.start_period + check.interval * check.retries
        deadline = time.monotonic() + max(FIRST_HEALTH_SECONDS, allowed)
        pause = POLL_SECONDS[0]
        while await self._ill() and time.monotonic() < deadline:
            await asyncio.sleep(pause)
            pause = min(1.3 * pause, POLL_SECONDS[1])
        return self.reason

    async def _ill(self) -> bool:
        self.reason = await health.probe(self.spec)
        return bool(self.reason)

    async def _stay_healthy(self) -> None:
        check = self.spec.healthcheck or Healthcheck((), interval=10)
        failures = 0
        while True:
            await asyncio.sleep(max(1.0, check.interval))
            failures = failures + 1 if await self._ill() else 0
            if not failures and self.state == "unhealthy":
                self._well("healthy again")
            elif failures == check.retries:
                self._set("unhealthy", self.reason)

    async def stop(self) -> None:
        """The stop signal to its group, SIGKILL after the grace period; returns when it is gone."""
        self.stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            self._set("stopping")
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, self.spec.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone_or_forced(), self.spec.stop_grace_period)
            signal_group(process.pid, signal.SIGKILL)
        self._force.set()
        if self.started.is_set():
            await self.gone.wait()
        self._set("stopped")

    async def _gone_or_forced(self) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (self.gone, self._force)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def force(self) -> None:
        """No more patience: `stop` kills at once."""
        self._force.set()


async def _pump(process: asyncio.subprocess.Process, log: Backlog) -> None:
    """Reads on whatever becomes of the log: a child whose pipe is full would stand still."""
    assert process.stdout is not None
    while chunk := await process.stdout.read(65536):
        log.write(chunk)


def _ending(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"
