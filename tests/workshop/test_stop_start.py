"""`workshop stop` and `start`: one service goes and comes, the others stay."""

from __future__ import annotations

import asyncio
import os
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from workshop.guard import Guard
from workshop.plan.spec import ProcessSpec
from workshop.run.units import Units

from .conftest import COMPOSE, Project, eventually


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
    assert start.stderr == (
        "workshop: one exited with code 1 at start. "
        f"Its log: workshop logs one --port-offset {project.offset}. It ends with:\nout of order\n"
    )
    assert answers(project, 8002)
    assert project.state()["state"] == "up"


ILL = """
import http.server, os, pathlib, signal, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if pathlib.Path("well").exists() else 503); self.end_headers()
        self.wfile.write(b'{"detail": "the database is away"}')
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), H).serve_forever()
"""


def test_start_says_why_a_service_is_not_healthy_and_lets_it_recover(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSHOP_START_SECONDS", "1")
    project.compose(COMPOSE.replace("interval: 1s", "interval: 1s\n      retries: 1"))
    project.run("up", "1", "--detach")
    project.run("stop", "two")
    folder = project.root / "stage1" / "one"
    (folder / "service.py").write_text(ILL)
    start = project.run("start", "two")
    assert start.returncode == 1
    url = f"http://127.0.0.1:{8002 + project.offset}/healthz"
    assert start.stderr == (
        f'workshop: two is up, but not healthy: GET {url} answers 503 {{"detail": "the database is away"}}. '
        f"Its log: workshop logs two --port-offset {project.offset}\n"
    )
    assert project.service("two")["pid"]
    (folder / "well").touch()
    eventually(lambda: project.service("two")["state"] == "healthy", "it recovers by itself")


def test_a_service_that_ended_by_itself_can_be_stopped_and_started(project: Project) -> None:
    project.compose(COMPOSE.replace("    restart: unless-stopped\n", ""))
    project.run("up", "1", "--detach")
    for verb, state in (("stop", "stopped"), ("start", "healthy")):
        project.run("start", "one")
        os.kill(project.service("one")["pid"], signal.SIGKILL)
        eventually(lambda: project.service("one")["state"] == "exited", "it is gone")
        done = project.run(verb, "one")
        assert done.returncode == 0, done.stderr
        assert project.service("one")["state"] == state


async def test_what_cannot_be_done_is_told_with_its_reason(tmp_path: Path) -> None:
    answered = asyncio.Event()
    with Guard() as guard:
        units = Units(tmp_path, guard, lambda *_: answered.set(), {})
        unit = units.add(ProcessSpec("one", ("true",), tmp_path, {}))

        async def fails() -> None:
            raise OSError(28, "No space left on device")

        unit.stop = fails  # type: ignore[method-assign]
        units.fulfill({"one"})
        async with asyncio.timeout(5):
            await answered.wait()
    assert units.states()[0]["reason"] == "OSError: [Errno 28] No space left on device"


@pytest.mark.parametrize("verb", ["stop", "start"])
def test_what_does_not_run_or_exist_is_said_in_a_line(project: Project, verb: str) -> None:
    nothing = project.run(verb, "one")
    assert nothing.returncode == 1
    assert nothing.stderr == "workshop: nothing runs here. Start a stage first: workshop up N.\n"
    project.run("up", "1", "--detach")
    unknown = project.run(verb, "three")
    assert (unknown.returncode, unknown.stderr) == (
        1, "workshop: there is no service three. There are: pocket, one, two.\n",
    )  # fmt: skip
