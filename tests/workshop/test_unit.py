"""A child lives on when its log, or its state, cannot be written."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from workshop.guard import Guard
from workshop.plan.spec import ProcessSpec
from workshop.run import state, unit
from workshop.run.backlog import Backlog
from workshop.run.logfile import LogFile
from workshop.run.supervisor import Supervisor

# More than a pipe holds (64 KiB), so that it ends only if somebody reads all of it.
TALKER = "import sys\nfor i in range(20_000): print('line', i)\nprint('last', flush=True)"


@pytest.fixture
def guard() -> Iterator[Guard]:
    with Guard() as guard:
        yield guard


async def test_a_full_disk_stops_no_child_and_loses_no_line(
    tmp_path: Path, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failures = LogFile.write, [OSError(28, "No space left on device")] * 2

    def nearly_full(log: LogFile, chunk: bytes) -> int:
        if failures and len(failures) == 1:
            raise failures.pop()
        if failures:
            failures.pop()
            return write(log, chunk[:3])
        return write(log, chunk)

    monkeypatch.setattr(LogFile, "write", nearly_full)
    spec = ProcessSpec("talker", (sys.executable, "-c", TALKER), tmp_path, {})
    talker = unit.Unit(spec, Backlog(tmp_path / "talker.log"), guard, lambda *_: None)
    async with asyncio.timeout(30):
        await talker.run({})
    talker.log.close()
    assert talker.exit_code == 0
    assert not failures
    lines = (tmp_path / "talker.log").read_text().splitlines()
    assert lines == [*(f"line {i}" for i in range(20_000)), "last"]


def test_rotation_goes_on_after_no_file_could_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LogFile(tmp_path / "one.log", max_bytes=3)
    assert log.write(b"first\n") == 6
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            log.write(b"second\n")
    log.write(b"second\n")
    log.write(b"third\n")
    log.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "one.log.1": "first\n",
        "one.log.2": "second\n",
        "one.log": "third\n",
    }


def full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("cannot", [{"say": full}, {"_save": full}])
async def test_a_state_that_cannot_be_written_ends_no_child(
    tmp_path: Path, guard: Guard, caplog: pytest.LogCaptureFixture, cannot: dict[str, object]
) -> None:
    def fine(*_: object, **__: object) -> None: ...

    supervisor = SimpleNamespace(**({"say": fine, "_save": fine} | cannot))
    spec = ProcessSpec("talker", (sys.executable, "-c", TALKER), tmp_path, {})
    talker = unit.Unit(
        spec,
        Backlog(tmp_path / "talker.log"),
        guard,
        lambda *change: Supervisor._changed(supervisor, *change),  # type: ignore[arg-type]
    )
    async with asyncio.timeout(30):
        await talker.run({})
    talker.log.close()
    assert talker.exit_code == 0
    assert "talker is completed, which cannot be written down" in caplog.text


def test_a_file_half_written_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.write_atomically(tmp_path / "run.json", {"old": 1})
    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space"):
        state.write_atomically(tmp_path / "run.json", {"new": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert json.loads((tmp_path / "run.json").read_text()) == {"old": 1}
