"""Every mistake: one clear line that names it and says what to do, exit code ≠ 0, nothing left running."""

from __future__ import annotations

import os
import shutil
import socket

import pytest

from .conftest import COMPOSE, Project


def refused(project: Project, *arguments: str, code: int = 1) -> str:
    """The one line on stderr."""
    result = project.run(*arguments)
    assert result.returncode == code, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("workshop: ")
    return result.stderr.removeprefix("workshop: ").rstrip("\n")


def one_line(project: Project, *arguments: str, code: int = 1) -> str:
    line = refused(project, *arguments, code=code)
    assert "\n" not in line
    assert project.left() == []
    return line


def test_unknown_stage(project: Project) -> None:
    assert one_line(project, "up", "9") == "there is no stage 9. Stages here: 1."


def test_no_project_folder(project: Project) -> None:
    result = project.run("up", "1", WORKSHOP_ROOT="/nonexistent/place")
    assert result.returncode == 1
    assert "WORKSHOP_ROOT=/nonexistent/place is not a folder" in result.stderr


def test_missing_service_folder(project: Project) -> None:
    shutil.rmtree(project.root / "stage1" / "one")
    line = one_line(project, "up", "1")
    assert "stage1/docker-compose.yml:6: service one: build: the folder" in line
    assert "does not exist" in line


def test_missing_compose_file(project: Project) -> None:
    (project.root / "stage1" / "docker-compose.yml").unlink()
    assert "has no docker-compose.yml" in one_line(project, "up", "1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services: [unclosed", "docker-compose.yml:1:20: not valid YAML"),
        ("services:\n  one:\n\tbuild: one\n", "docker-compose.yml:3:1: not valid YAML"),
        ("- a list\n", "docker-compose.yml:1: expected a mapping"),
        ("services:\n  - one\n", "docker-compose.yml:1: expected `services:`"),
        (
            "services:\n  one: {build: one}\n  one: {build: one}\n",
            "docker-compose.yml:3:3: not valid YAML: key 'one'",
        ),
        ("services:\n  one:\n    build: one\n    ports: 8001\n", ":4: service one: ports: expected a list"),
        ("services:\n  one:\n    build: one\n    ports: [web]\n", ":4: service one: ports: port 'web' is not"),
        (
            "services:\n  one:\n    build: one\n    depends_on: [two]\n",
            ":2: service one: depends_on two, which is no",
        ),
        ("services:\n  one:\n    build: ${NO:?say where}\n", ":3: NO is not set: say where."),
        ("services:\n  one: {build: one}\n", ":2: service one: `command:` is missing"),
        (
            "services:\n  one: {image: redis, command: x}\n",
            ":2: service one: image redis cannot run without Docker",
        ),
        ("include: [gone.yml]\nservices:\n  one: {build: one}\n", ":1: includes gone.yml, which does not exist"),
        (COMPOSE.replace('"8002:8002"', '"8002:80"'), "the number outside and inside has to be the same"),
        (
            "services:\n  a: {build: one, depends_on: [b]}\n  b: {build: one, depends_on: [a]}\n",
            ":2: depends_on goes round in a circle: a → b → a",
        ),
    ],
)
def test_malformed_compose_file(project: Project, text: str, expected: str) -> None:
    project.compose(text)
    assert expected in one_line(project, "up", "1")


def test_port_in_use_names_port_service_and_holder(project: Project) -> None:
    port = 8002 + project.offset
    with socket.create_server(("127.0.0.1", port)):
        line = one_line(project, "up", "1")
    assert line.startswith(f"port {port}, which two needs, is in use by ")
    assert f"(pid {os.getpid()})" in line  # its name is another one in a worker of the parallel suite
    assert "--port-offset" in line


def test_second_up_on_the_same_offset(project: Project) -> None:
    assert project.run("up", "1", "--detach").returncode == 0
    line = refused(project, "up", "1")
    assert line.startswith(f"stage 1 runs already on port offset {project.offset}. Stop it first (workshop down")
    assert project.state()["state"] == "up"


def test_a_service_that_exits_at_start(project: Project) -> None:
    project.compose(COMPOSE.replace("PORT: ", "FAIL: the reason why, PORT: "))
    message = refused(project, "up", "1", "--detach")
    assert message.startswith("one exited with code 3 at start. Its last lines:")
    assert "    about to fail\n    the reason why\n" in message
    assert "logs/one.log" in message
    assert project.left() == []


def test_a_command_that_does_not_exist(project: Project) -> None:
    project.compose(COMPOSE.replace("command: python service.py", "command: no-such-program"))
    assert one_line(project, "up", "1") == "one cannot start `no-such-program`: No such file or directory."


def test_a_service_whose_health_check_fails_for_good(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_START_SECONDS", "2")
    project.compose(
        COMPOSE.replace("/healthz')\"]", "/healthz'); raise SystemExit('not well')\"]\n      retries: 1")
    )
    message = refused(project, "up", "1")
    assert message.startswith("two did not become healthy: health check exit 1: not well.")
    assert project.left() == []


def test_check_when_nothing_runs(project: Project) -> None:
    line = one_line(project, "check", "1", code=2)
    assert line.startswith("nothing runs at http://127.0.0.1:")
    assert "workshop up 1 --traffic" in line


def test_diff_of_the_first_stage(project: Project) -> None:
    assert "stage 1 is the first" in one_line(project, "diff", "1")


def test_traffic_without_a_script(project: Project) -> None:
    assert "stage 1 has no traffic-gen/generate_traffic.py" in one_line(project, "traffic", "1")


def test_a_port_offset_beyond_the_last_port(project: Project) -> None:
    result = project.run("up", "1", "--port-offset", "60000")
    assert result.returncode == 2
    assert "port-offset" in result.stderr


def test_a_value_that_does_not_fit(project: Project) -> None:
    result = project.run("status", PORT_OFFSET="abc")
    assert result.returncode == 2
    assert result.stderr.startswith("workshop: --port-offset (or PORT_OFFSET) has to be a number from 0 to 50103.")
    assert result.stderr.count("\n") == 1
    assert one_line(project, "up", "x", code=2) == "the stage has to be a number from 1 to 6."


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("upp 1", "no such command 'upp'. Did you mean 'up'? See workshop --help"),
        ("up 1 --nope", "no such option: --nope. See workshop up --help"),
        ("down 3", "got unexpected extra argument(s) (3). See workshop down --help"),
        ("logs --tail", "option '--tail' requires an argument. See workshop --help"),
        ("stop", "which service? `workshop status` lists them."),
        ("check 1 --deadline soon", "--deadline has to be a number of seconds, 1 or more."),
    ],
)
def test_a_wrong_command_line(project: Project, command: str, line: str) -> None:
    assert one_line(project, *command.split(), code=2) == line


def test_a_folder_that_cannot_be_used(project: Project) -> None:
    (project.root / "file").touch()
    line = one_line(project, "up", "1", "--data-dir", str(project.root / "file" / "below"))
    assert line == f"{project.root / 'file' / 'below'}: Not a directory"


def test_commands_are_named_as_they_can_be_typed(project: Project) -> None:
    shown = project.run("status", PATH="/nowhere")
    assert "bin/workshop up 1 --port-offset" in shown.stdout


def test_traffic_for_another_stage_than_runs(project: Project) -> None:
    shutil.copytree(project.root / "stage1", project.root / "stage2")
    project.run("up", "1", "--detach")
    line = refused(project, "traffic", "2")
    assert line == f"stage 1 runs, not stage 2: workshop traffic 1 --port-offset {project.offset}"


def test_last_lines_are_those_of_this_start(project: Project) -> None:
    (project.data / "logs").mkdir(parents=True)
    (project.data / "logs" / "one.log").write_text("of an earlier run\n")
    project.compose(COMPOSE.replace("PORT: ", "FAIL: the reason why, PORT: "))
    message = refused(project, "up", "1", "--detach")
    assert "    about to fail\n    the reason why\n" in message
    assert "earlier run" not in message


def test_traffic_help_without_a_stage(project: Project) -> None:
    for flag in ("--help", "-h"):
        shown = project.run("traffic", flag)
        assert shown.returncode == 0, shown.stderr
        assert "workshop traffic N --help" in shown.stdout


def test_down_when_nothing_runs_is_no_error(project: Project) -> None:
    result = project.run("down")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Nothing runs on port offset")


def test_help_and_the_bare_command_show_examples(project: Project) -> None:
    for arguments in ((), ("--help",)):
        assert "workshop up 3 --traffic --check" in project.run(*arguments).stdout
