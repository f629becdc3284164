"""The guard, with real processes and SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from workshop.guard import Guard

from .conftest import eventually

OWNER = """
import subprocess, sys, time
from workshop.guard import Guard
guard = Guard()
children = [subprocess.Popen(argv, start_new_session=True) for argv in (
    ["sleep", "617"],
    [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"],
    ["sh", "-c", "sleep 618 & wait"],
)]
for child in children:
    guard.add(child.pid)
print(guard.pid, *(child.pid for child in children), flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_sigkill_of_the_owner_takes_every_group_along_even_a_stubborn_one() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    guard, *children = map(int, owner.stdout.readline().split())
    grandchild = eventually(lambda: psutil.Process(children[2]).children(), "the shell's child")[0].pid
    owner.kill()
    owner.communicate()
    eventually(lambda: all(gone(pid) for pid in (*children, grandchild)), "children and grandchild gone")
    eventually(lambda: gone(guard), "the guard itself gone")


def test_what_was_removed_is_left_alone() -> None:
    kept = subprocess.Popen(["sleep", "619"], start_new_session=True)
    taken = subprocess.Popen(["sleep", "620"], start_new_session=True)
    with Guard() as guard:
        guard.add(kept.pid)
        guard.add(taken.pid, signal.SIGINT)
        guard.remove(kept.pid)
    assert taken.wait(5) == -signal.SIGINT
    assert kept.poll() is None
    kept.kill()
    kept.wait()


def ignores(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks /proc, which this system lacks")
def test_the_guard_ignores_the_terminals_signals() -> None:
    child = subprocess.Popen(["sleep", "621"], start_new_session=True)
    guard = Guard()
    guard.add(child.pid)
    eventually(lambda: ignores(guard.pid, signal.SIGTERM), "the guard has come up")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guard.pid, number)
    assert child.poll() is None
    guard.close()
    assert child.wait(5) == -signal.SIGTERM
