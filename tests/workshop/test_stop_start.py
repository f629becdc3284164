"""`workshop stop` and `start`: one service goes and comes, the others stay."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from .conftest import Project, eventually


def answers(project: Project, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port + project.offset}/", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def test_a_service_is_stopped_stays_so_and_comes_back(project: Project) -> None:
    assert project.run("up", "1", "--detach").returncode == 0
    other = project.service("two")["pid"]
    stop = project.run("stop", "one")
    assert (stop.returncode, stop.stdout) == (0, "Stopped one.\n")
    assert (project.service("one")["state"], project.service("one")["pid"]) == ("stopped", None)
    assert not answers(project, 8001)
    assert answers(project, 8002)
    assert project.run("stop", "one").returncode == 0
    start = project.run("start", "one")
    assert (start.returncode, start.stdout) == (0, "Started one.\n")
    assert answers(project, 8001)
    assert project.service("two")["pid"] == other
    assert project.run("start", "one").returncode == 0


def test_a_stopped_service_does_not_hold_up_the_end_and_the_next_run_starts_it(project: Project) -> None:
    project.run("up", "1", "--detach")
    project.run("stop", "one")
    assert project.run("down").returncode == 0
    assert project.left() == []
    project.run("up", "1", "--detach")
    assert project.service("one")["state"] == "healthy"


def test_the_pocket_stack_can_go_too_and_no_line_is_lost(project: Project) -> None:
    project.run("up", "1", "--detach")
    assert project.run("stop", "pocket").returncode == 0
    assert answers(project, 8001)
    assert project.run("start", "pocket").returncode == 0
    eventually(lambda: any("asked for /" in line for line in project.arrived()), "the line of the outage arrives")


def test_a_service_that_cannot_start_again_is_named_and_the_rest_goes_on(project: Project) -> None:
    project.run("up", "1", "--detach")
    project.run("stop", "one")
    (project.root / "stage1" / "one" / "service.py").write_text("raise SystemExit('out of order')")
    start = project.run("start", "one")
    assert start.returncode == 1
    assert start.stderr.startswith("workshop: one is not healthy, but exited. Its log: ")
    assert answers(project, 8002)
    assert project.state()["state"] == "up"


@pytest.mark.parametrize("verb", ["stop", "start"])
def test_what_does_not_run_or_exist_is_said_in_a_line(project: Project, verb: str) -> None:
    nothing = project.run(verb, "one")
    assert nothing.returncode == 1
    assert nothing.stderr.startswith("workshop: nothing runs here: start a stage first")
    project.run("up", "1", "--detach")
    unknown = project.run(verb, "three")
    assert (unknown.returncode, unknown.stderr) == (
        1, "workshop: there is no service three. There are: pocket, one, two.\n",
    )  # fmt: skip
