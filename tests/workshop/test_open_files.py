"""The soft limit of open files goes up to the hard one; where that is too low, one line says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "stage1/traffic-gen/generate_traffic.py"
NOW = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0]); "
RUNNER = "from workshop.run.open_files import raise_limit; print(raise_limit()); " + NOW
CHILD = "raise_limit(); import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
TRAFFIC = "from traffic_gen.cli import require_files; require_files(80); " + NOW


def limited(soft: int, hard: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, under these limits."""
    shell = f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"'
    command = ["bash", "-c", shell, "bash", sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("soft", "hard", "then"), [(256, 4096, 4096), (1024, 1024, 1024)])
def test_it_goes_up(soft: int, hard: int, then: int) -> None:
    assert limited(soft, hard, "-c", RUNNER).stdout.split() == [str(then)]


def test_children_have_it() -> None:
    code = "from workshop.run.open_files import raise_limit; " + CHILD
    assert limited(256, 4096, "-c", code, NOW).stdout.split() == ["4096"]


def test_too_low_is_said() -> None:
    said, limit = limited(256, 256, "-c", RUNNER).stdout.splitlines()
    assert limit == "256"
    assert said.startswith("A process may open only 256 files and connections here")


def test_traffic_raises_its_own() -> None:
    assert limited(128, 4096, "-c", TRAFFIC).stdout.split() == ["4096"]


def test_traffic_for_which_there_are_too_few_says_so() -> None:
    run = limited(100, 100, str(SCRIPT), "--num-users", "80")
    assert (run.returncode, run.stdout) == (2, "")
    hint = "Raise it (ulimit -n 144), or set NUM_USERS to 36."
    assert run.stderr == f"traffic: 80 users need 144 open files, and the limit is 100. {hint}\n"
