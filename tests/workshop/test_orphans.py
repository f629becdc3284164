"""Supervisor and guard both killed: what they leave is found by its environment, said, and ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from workshop.paths import RunPaths
from workshop.run import orphans, state

from .conftest import Project, eventually


def killed_both(project: Project) -> list[int]:
    """The pids of the services that are left."""
    assert project.run("up", "1", "--detach").returncode == 0
    run = project.state()
    os.kill(run["guard"], signal.SIGSTOP)  # it must not see the supervisor's end before its own
    os.kill(run["supervisor"], signal.SIGKILL)
    os.kill(run["guard"], signal.SIGKILL)
    eventually(lambda: state.running(RunPaths(project.data)) is None, "the lock is free")
    return [service["pid"] for service in run["services"]]


def test_status_names_them_and_down_ends_them(project: Project) -> None:
    left = killed_both(project)
    shown = project.run("status")
    assert shown.returncode == 1
    assert "The supervisor was killed, and 3 of its processes still run: " in shown.stdout
    assert all(f"(pid {pid})" in shown.stdout for pid in left)
    assert f"End them: workshop down --port-offset {project.offset}\n" in shown.stdout
    assert [each["pid"] for each in json.loads(project.run("status", "--json").stdout)["orphans"]] == left
    ended = project.run("down")
    assert ended.returncode == 0
    assert ended.stdout.startswith("Ended what a run left whose supervisor had been killed: ")
    assert not any(psutil.pid_exists(pid) for pid in left)
    assert "Nothing runs on port offset" in project.run("down").stdout


def test_up_ends_them_first(project: Project) -> None:
    left = killed_both(project)
    started = project.run("up", "1", "--detach")
    assert started.returncode == 0, started.stderr
    assert "Ended what a run left whose supervisor had been killed: " in started.stdout
    assert not {service["pid"] for service in project.state()["services"]} & set(left)


def test_a_stopped_one_is_ended_too(project: Project) -> None:
    left = killed_both(project)
    os.kill(left[1], signal.SIGSTOP)
    assert project.run("down").returncode == 0
    assert not any(psutil.pid_exists(pid) for pid in left)


@pytest.mark.parametrize("killed", [True, False], ids=["supervisor killed", "both stopped"])
def test_a_stopped_guard_and_supervisor_end_at_once(project: Project, *, killed: bool) -> None:
    assert project.run("up", "1", "--detach").returncode == 0
    run = project.state()
    os.kill(run["guard"], signal.SIGSTOP)
    os.kill(run["supervisor"], signal.SIGKILL if killed else signal.SIGSTOP)
    ended = project.run("down")
    assert ended.returncode == 0, ended.stderr
    assert not any(psutil.pid_exists(service["pid"]) for service in run["services"])
    assert "Nothing runs on port offset" in project.run("down").stdout


def test_another_run_and_a_shell_with_the_same_folder_are_left_alone(project: Project) -> None:
    other = Project(project.root, project.offset + 10)
    other.run("up", "1", "--detach")
    shell = subprocess.Popen(["sleep", "600"], env=os.environ | {"WORKSHOP_DATA_DIR": str(project.data)})
    try:
        killed_both(project)
        project.run("down")
        assert shell.poll() is None
        assert other.run("status").returncode == 0
        assert all(psutil.pid_exists(service["pid"]) for service in other.state()["services"])
    finally:
        shell.kill()
        shell.wait()
        other.run("down")


def test_after_a_clean_end_nobody_is_looked_for(project: Project) -> None:
    project.run("up", "1", "--detach")
    assert len(state.run_id(RunPaths(project.data))) == 32
    project.run("down")
    assert state.run_id(RunPaths(project.data)) == ""


LOOK = """
import os, sys
from pathlib import Path
from workshop.paths import RunPaths
from workshop.run.orphans import orphans
os.setuid(65534)  # after the imports: an interpreter below /root is closed to others
print([process.pid for process in orphans(RunPaths(Path(sys.argv[1])))])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which only root can")
def test_what_others_run_cannot_be_read_and_is_no_error(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"orphans-of-nobody-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        (folder / "lock").write_text("an-id")
        (folder / "lock").chmod(0o644)
        mine = subprocess.Popen(["sleep", "600"], env=os.environ | {state.RUN_VARIABLE: "an-id"})
        try:
            assert mine.pid in [process.pid for process in orphans.orphans(RunPaths(folder))]
            seen = subprocess.run([sys.executable, "-c", LOOK, folder], capture_output=True, text=True, timeout=60)
            assert (seen.stdout, seen.returncode) == ("[]\n", 0), seen.stderr
        finally:
            mine.kill()
            mine.wait()
    finally:
        shutil.rmtree(folder)
