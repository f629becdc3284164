"""`workshop status`: what runs here and elsewhere, in any width, for people and programs."""

from __future__ import annotations

import json
import os
import signal
import socket

import pytest

from workshop.run import live

from .conftest import COMPOSE, Project


def test_nothing_runs(project: Project) -> None:
    shown = project.run("status")
    assert shown.returncode == 1
    offset = project.offset
    start = f"Start a stage: workshop up 1 --port-offset {offset}"
    assert shown.stdout == f"Nothing runs on port offset {offset}. {start}\n"
    content = json.loads(project.run("status", "--json").stdout)
    assert content == {
        "run": None,
        "orphans": [],
        "logs": str(project.data / "logs"),
        "notices": [],
        "other_runs": [],
    }


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_each_service_its_state_and_address_uncut_and_what_to_type(project: Project, columns: str) -> None:
    project.run("up", "1", "--detach")
    shown = project.run("status", COLUMNS=columns)
    assert shown.returncode == 0
    for word in ("pocket", "one", "two", "supervisor", "healthy", f"http://localhost:{8001 + project.offset}"):
        assert word in shown.stdout
    assert ("restarts" in shown.stdout and "MB" in shown.stdout) == (columns != "60")
    assert f"workshop logs --port-offset {project.offset} ({project.data / 'logs'})\n" in shown.stdout
    assert f"workshop down --port-offset {project.offset}\n" in shown.stdout
    assert "…" not in shown.stdout


def test_json_has_pids_ports_memory_and_the_logs_folder(project: Project) -> None:
    project.run("up", "1", "--detach")
    shown = project.run("status", "--json")
    assert shown.returncode == 0
    content = json.loads(shown.stdout)
    assert content["logs"] == str(project.data / "logs")
    one = next(service for service in content["run"]["services"] if service["name"] == "one")
    assert (one["state"], one["pid"]) == ("healthy", project.service("one")["pid"])
    assert one["resident_bytes"] > 1_000_000


def test_another_run_is_named_with_its_offset(project: Project) -> None:
    other = Project(project.root, project.offset + 10)
    other.run("up", "1", "--detach")
    shown = project.run("status")
    assert shown.returncode == 1
    line = f"Stage 1 runs on port offset {other.offset}: workshop status --port-offset {other.offset}\n"
    assert line in shown.stdout
    assert [run["offset"] for run in json.loads(project.run("status", "--json").stdout)["other_runs"]] == [
        other.offset
    ]
    assert "Stage 1 runs" not in other.run("status").stdout
    assert f"workshop down --port-offset {other.offset}" in project.run("down").stdout
    other.run("down")


def test_why_a_service_is_not_healthy(project: Project) -> None:
    project.run("up", "1", "--detach")
    project.run("stop", "one")
    (project.root / "stage1" / "one" / "service.py").write_text("raise SystemExit('out of order')")
    project.run("start", "one")
    assert "one: exited with code 1 at start.\n" in project.run("status").stdout


def test_a_service_that_stands_still_is_not_answering_at_once(project: Project) -> None:
    """The supervisor finds out by the compose file's interval × retries; here it would take a minute."""
    project.compose(COMPOSE.replace("interval: 1s", "interval: 60s"))
    project.run("up", "1", "--detach")
    pid = project.service("two")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        shown = project.run("status", COLUMNS="100").stdout
        services = json.loads(project.run("status", "--json").stdout)["run"]["services"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert f"two: stopped by a signal; wake it: kill -CONT {pid}\n" in shown
    assert {each["name"]: each["state"] for each in services} == {
        "pocket": "healthy", "one": "healthy", "two": "not answering",
    }  # fmt: skip
    assert "not answering" not in project.run("status").stdout


def test_a_supervisor_that_stands_still_is_said(project: Project) -> None:
    project.run("up", "1", "--detach")
    pid = project.state()["supervisor"]
    os.kill(pid, signal.SIGSTOP)
    try:
        shown = project.run("status").stdout
    finally:
        os.kill(pid, signal.SIGCONT)
    assert f"supervisor: stopped by a signal; wake it: kill -CONT {pid}\n" in shown


async def test_a_database_is_asked_for_an_answer() -> None:
    """A port that the kernel accepts at, and nobody behind it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        service = {"name": "postgres", "state": "healthy", "url": f"postgresql://localhost:{port}", "pid": None,
                   "ports": {"postgres": port}, "reason": ""}  # fmt: skip
        found = await live._now(service)  # type: ignore[arg-type]
        assert (found["state"], found["reason"]) == ("not answering", f"port {port} gives no answer")
