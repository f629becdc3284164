"""Log lines on a full disk: they wait in bounded memory, in order and whole; what finds no room is counted."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.paths import RunPaths
from workshop.run import state
from workshop.run.backlog import Backlog
from workshop.run.logfile import LogFile

from .conftest import Project, eventually

HALF_FULL = 3000  # bytes


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writing beyond it is an OSError (EFBIG; Python ignores SIGXFSZ), as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def numbered(count: int) -> list[bytes]:
    return [b"line %d\n" % number for number in range(count)]


def test_what_the_disk_did_not_take_is_written_when_it_does(tmp_path: Path) -> None:
    lines, log = numbered(2000), Backlog(tmp_path / "one.log")
    with largest_file(HALF_FULL):
        for line in lines:
            log.write(line)
        assert log.fault == os.strerror(27)
        assert (tmp_path / "one.log").stat().st_size == HALF_FULL
        assert log.waiting_lines > 1000
        assert log.tail()[-1] == "line 1999"
    log.flush()
    assert (log.fault, log.waiting_lines, log.lost_lines) == ("", 0, 0)
    assert (tmp_path / "one.log").read_bytes() == b"".join(lines)
    log.close()


def test_a_file_that_cannot_be_made_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Backlog(tmp_path / "logs" / "one.log")
    (tmp_path / "logs").touch()  # a file where the folder has to be
    log.begin()
    log.write(b"early\n")
    assert log.fault
    (tmp_path / "logs").unlink()
    log.flush()
    assert (tmp_path / "logs" / "one.log").read_bytes() == b"early\n"
    log.close()


@given(
    lengths=st.lists(st.integers(min_value=0, max_value=40), min_size=1, max_size=60),
    cuts=st.lists(st.integers(min_value=1, max_value=30), min_size=1, max_size=8),
    room=st.integers(min_value=0, max_value=600),
    again=st.integers(min_value=0, max_value=60),
)
@settings(deadline=None, max_examples=200)
def test_lines_are_kept_whole_or_counted(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], cuts: list[int], room: int, again: int
) -> None:
    """However the pipe cuts them, and whenever the disk has room again."""
    lines = [b"%d:%s\n" % (number, b"x" * length) for number, length in enumerate(lengths)]
    stream, log = b"".join(lines), Backlog(tmp_path_factory.mktemp("log") / "one.log", limit=200)
    fits = 0
    with pytest.MonkeyPatch.context() as patch:
        write = LogFile.write

        def nearly_full(file: LogFile, chunk: bytes) -> int:
            if file.size >= room and fits < again:
                raise OSError(28, "full")
            return write(file, chunk if fits >= again else chunk[: room - file.size])

        patch.setattr(LogFile, "write", nearly_full)
        at = 0
        while at < len(stream):
            size = cuts[fits % len(cuts)]
            log.write(stream[at : at + size])
            at, fits = at + size, fits + 1
        fits = again
        log.flush()
    kept = log.path.read_bytes().splitlines(keepends=True)
    whole = [line for line in kept if line in lines]
    assert [line for line in lines if line in whole] == whole  # in order, none twice
    assert len(whole) + log.lost_lines == len(lines)
    assert len(kept) - len(whole) <= log.lost_lines  # one longer than a chunk may have lost its end
    log.close()


def test_memory_is_bounded_and_the_oldest_stay(tmp_path: Path) -> None:
    log = Backlog(tmp_path / "one.log", limit=1000)
    with largest_file(0):
        for line in numbered(100_000):
            log.write(line)
        assert 1000 <= len(log._held) < 1100
        assert log.waiting_lines + log.lost_lines == 100_000
    log.close()
    kept = log.path.read_bytes().splitlines(keepends=True)
    assert kept == numbered(len(kept))


def test_what_waits_at_the_end_is_lost_and_counted(tmp_path: Path) -> None:
    log = Backlog(tmp_path / "one.log")
    with largest_file(0):
        log.write(b"a\nb\n")
        log.close()
    assert (log.waiting_lines, log.lost_lines) == (0, 2)


def a_run(detail: str) -> state.RunState:
    return state.RunState(
        stage=1, offset=0, supervisor=os.getpid(), guard=2, started=detail, state="up", services=[]
    )


def test_the_state_is_told_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = RunPaths(tmp_path)
    state.save(paths, a_run("before"))
    size = paths.state.stat().st_size
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_: (_ for _ in ()).throw(OSError(28, "full")))
    state.save(paths, a_run("after"))
    assert state.read(paths) == a_run("after")
    assert paths.state.stat().st_size == size
    with pytest.raises(OSError, match="full"):  # no block for so much
        state.save(paths, a_run("x" * size))
    assert state.read(paths) == a_run("after")


def test_a_state_half_overwritten_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = RunPaths(tmp_path)
    paths.state.write_text('{"stage": ')
    monkeypatch.setattr(time, "sleep", lambda _: state.save(paths, a_run("whole")))
    assert state.read(paths) == a_run("whole")


@pytest.fixture
def small_disk(project: Project) -> Iterator[Project]:
    """The made-up project's data on a disk of 2 MB."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounts a small disk, which only root may")
    project.data.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", project.data], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    try:
        yield project
    finally:
        project.run("down")
        subprocess.run(["umount", "--lazy", project.data], check=True)


def ask(project: Project, path: str) -> None:
    import urllib.request

    urllib.request.urlopen(f"http://127.0.0.1:{8001 + project.offset}/{path}", timeout=5).read()


def test_a_full_disk_is_said_and_loses_no_line(small_disk: Project) -> None:
    project = small_disk
    assert project.run("up", "1", "--detach").returncode == 0
    filler = project.data / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    for number in range(400):  # more than the last block of the file still takes
        ask(project, f"asked-{number:04}" + "x" * 100)

    def waiting() -> int:
        services = json.loads(project.run("status", "--json").stdout)["run"]["services"]
        return next(int(each["lines_waiting"]) for each in services if each["name"] == "one")

    eventually(lambda: waiting() > 300, "status tells of lines that wait")
    shown = project.run("status").stdout
    assert "one: " in shown
    assert "log lines in memory, not in the log (No space left on device)" in shown
    assert f"The disk of {project.data} is full" in shown
    assert "log lines in memory" in project.run("logs", "one").stderr
    filler.unlink()
    eventually(lambda: waiting() == 0, "written again")
    written = (project.data / "logs" / "one.log").read_text()
    assert all(f"asked-{number:04}" in written for number in range(400))
    told = project.run("logs", "supervisor").stdout
    assert "log lines wait in memory: No space left on device" in told
    assert "log lines are written again: " in told
    assert ", 0 are lost" in told
    assert "in memory" not in project.run("status").stdout
