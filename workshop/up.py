"""`workshop up`: start, show, drive, check, and then stay or let go."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from rich.console import Console

from workshop.display import StartDisplay, show_urls, told
from workshop.paths import RunPaths, flags, program
from workshop.plan import DATABASE, Plan, make_plan, passwords
from workshop.run.folders import make_private
from workshop.run.supervisor_process import Event, SupervisorProcess
from workshop.traffic import BURST, run_script

CHECK_SECONDS = 90.0


@dataclass(frozen=True)
class Up:
    root: Path
    stage: int
    offset: int
    paths: RunPaths
    traffic: bool
    check: bool
    detach: bool

    def run(self) -> int:
        """The exit code: the check's when one was asked for, else 0. Raises WorkshopError when it cannot start."""
        plan = make_plan(self.root, self.stage, self.offset, self.paths)  # a faulty stage starts nothing
        make_private(self.paths)
        if DATABASE in plan.project.services:
            passwords.make(self.paths, self.offset)
        console = Console()
        signal.signal(signal.SIGTERM, _interrupt)
        supervisor = SupervisorProcess(self.root, self.stage, self.offset, self.paths)
        try:
            return self._hold(console, plan, supervisor)
        except KeyboardInterrupt:
            console.print("\nStopping …")
            supervisor.stop()
            console.print(f"Stopped stage {self.stage}.")
            return 130
        except BaseException:
            supervisor.stop()
            raise

    def _hold(self, console: Console, plan: Plan, supervisor: SupervisorProcess) -> int:
        events = supervisor.events()
        display = StartDisplay(console, f"Starting stage {self.stage}")
        with display.shown():
            for event in takewhile(lambda event: event["type"] != "ready", events):
                display.seen(event)
        code = self._drive(console, supervisor)
        show_urls(console, self.stage, self._urls(plan))
        if self.detach:
            supervisor.detach()
            console.print(
                f"It runs on. Stop it with: {program()} down{flags(self.paths, self.offset)}", soft_wrap=True
            )
            return code
        console.print("Ctrl-C stops everything.")
        for event in events:
            _report(console, event)
        return code

    def _drive(self, console: Console, supervisor: SupervisorProcess) -> int:
        if self.traffic:
            supervisor.command("traffic")
            run_script(self.root, self.stage, self.offset, self.paths, (), BURST)
        if not self.check:
            return 0
        from workshop.check.command import run_check

        return run_check(self.root, self.stage, self.offset, self.paths, CHECK_SECONDS, console=console)

    def _urls(self, plan: Plan) -> dict[str, str]:
        base = plan.specs[0].url
        uid = f"dice-roller-stage{self.stage}"
        urls = {"UI": base, "Dashboard": f"{base}/#/d/{uid}"}
        for spec in plan.specs[1:]:
            if spec.url:
                urls[spec.name] = spec.url
            if spec.url.startswith("http:"):
                urls[f"{spec.name} metrics"] = f"{spec.url}/metrics"
        return urls


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _report(console: Console, event: Event) -> None:
    """A child that died later, or is ill, deserves a line; being healthy again too."""
    if event["type"] == "note":
        console.print(told(event), highlight=False, markup=False)
    if event["type"] == "unit" and event["detail"]:
        console.print(f"{event['name']}: {event['detail']} ({event['state']})", highlight=False)
