"""The starting end: launches a supervisor, reads its events, sends it commands, stops it or lets it live on."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workshop.errors import WorkshopError
from workshop.paths import RunPaths, flags, program
from workshop.run.logfile import tail

Event = dict[str, Any]  # see events.Event
STOP_SECONDS = 30.0


class SupervisorProcess:
    """A running supervisor. When this process ends without `detach`, the supervisor stops everything."""

    def __init__(self, root: Path, stage: int, offset: int, paths: RunPaths) -> None:
        request = {"root": str(root), "stage": stage, "offset": offset, "data_dir": str(paths.data_dir)}
        self._paths, self._offset = paths, offset
        paths.logs.mkdir(parents=True, exist_ok=True)
        with (paths.logs / "supervisor.err").open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workshop.run.supervisor", json.dumps(request)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on, once
            )

    def events(self) -> Iterator[Event]:
        """Events as they come, to the supervisor's end. Raises WorkshopError for its `error` event."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event: Event = json.loads(line)
            if event["type"] == "error":
                raise WorkshopError(self._failure(event), code=1)
            yield event
        if self._process.wait() not in (0, 1):
            said = "; ".join(tail(self._paths.logs / "supervisor.err", 3))
            raise WorkshopError(f"the supervisor died with exit code {self._process.returncode}: {said}")

    def _failure(self, event: Event) -> str:
        lines = "".join(f"\n    {line}" for line in event.get("lines", ()))
        whole = f"{program()} logs {event['name']}{flags(self._paths, self._offset)}" if event.get("log") else ""
        where = f"\n  Its whole log: {whole} ({event['log']})" if whole else ""
        return f"{event['detail']}{' Its last lines:' if lines else ''}{lines}{where}"

    def command(self, word: str) -> None:
        """`detach` or `traffic`; nothing happens if the supervisor has gone."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()

    def detach(self) -> None:
        """Lets the supervisor live on in its own session."""
        self.command("detach")

    def stop(self) -> None:
        """Stops everything and waits; asked again while waiting, it kills."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while self._process.poll() is None:
            try:
                self._process.communicate(timeout=max(0.1, deadline - time.monotonic()))
            except KeyboardInterrupt:
                self._process.terminate()
            except subprocess.TimeoutExpired:
                self._process.kill()  # its guard takes the rest along
