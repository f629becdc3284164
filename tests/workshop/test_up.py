"""The command line on a made-up stage: what starts, what is left, how it ends."""

from __future__ import annotations

import ast
import os
import signal
import time
import urllib.request

import pytest

from .conftest import SERVICE, Project, eventually, processes_of


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        text: str = answer.read().decode()
    return text


def is_up(project: Project) -> bool:
    return bool(project.state()["state"] == "up")


def test_detach_starts_all_and_down_leaves_nothing(project: Project) -> None:
    up = project.run("up", "1", "--detach")
    assert up.returncode == 0, up.stderr
    assert f"http://localhost:{8001 + project.offset}" in up.stdout
    states = {each["name"]: each["state"] for each in project.state()["services"]}
    assert states == {"pocket": "healthy", "one": "healthy", "two": "healthy"}
    down = project.run("down")
    assert (down.returncode, down.stdout) == (0, "Stopped stage 1.\n")
    assert project.left() == []
    assert not (project.data / "run.json").exists()


def test_a_service_gets_the_compose_files_environment_moved_here_and_nothing_of_the_shell(
    project: Project,
) -> None:
    project.run("up", "1", "--detach", OTEL_TRACES_SAMPLER="always_off")
    base = f"http://127.0.0.1:{8001 + project.offset}"
    one = ast.literal_eval(fetch(base))
    two = ast.literal_eval(fetch(f"http://127.0.0.1:{8002 + project.offset}"))
    assert one["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://127.0.0.1:{4318 + project.offset}"
    assert two["ONE"] == base + "/"
    assert "OTEL_TRACES_SAMPLER" not in one


def test_two_runs_live_side_by_side(project: Project) -> None:
    other = Project(project.root, project.offset + 10)
    assert project.run("up", "1", "--detach").returncode == 0
    assert other.run("up", "1", "--detach").returncode == 0
    assert project.run("status").returncode == other.run("status").returncode == 0
    assert "Stopped" in project.run("down").stdout
    assert other.run("status").returncode == 0
    assert "Stopped" in other.run("down").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_foreground_command_stops_everything(project: Project, number: signal.Signals) -> None:
    process = project.start("up", "1")
    eventually(lambda: is_up(project), "up")
    process.send_signal(number)
    assert process.wait(20) == 130
    assert project.left() == []


def test_killing_the_foreground_command_stops_everything(project: Project) -> None:
    process = project.start("up", "1")
    eventually(lambda: is_up(project), "up")
    process.kill()
    process.wait()
    eventually(lambda: not project.left(), "all gone")


def test_killing_the_supervisor_stops_everything_and_a_new_up_works(project: Project) -> None:
    project.run("up", "1", "--detach")
    os.kill(project.state()["supervisor"], signal.SIGKILL)
    eventually(lambda: not project.left(), "all gone")
    assert (project.data / "run.json").exists()  # stale now
    eventually(lambda: project.run("status").returncode == 1, "its guard has ended too")
    assert not (project.data / "run.json").exists()
    assert project.run("up", "1", "--detach").returncode == 0


def test_ctrl_c_during_the_traffic_stops_everything(project: Project) -> None:
    script = project.root / "stage1" / "traffic-gen" / "generate_traffic.py"
    script.parent.mkdir()
    script.write_text("import time\nprint('driving', flush=True)\ntime.sleep(600)\n")
    up = project.start("up", "1", "--traffic")
    assert up.stdout is not None
    while "driving" not in up.stdout.readline():
        pass
    up.send_signal(signal.SIGINT)
    rest, _ = up.communicate(timeout=30)
    assert up.returncode == 130
    assert "Stopped stage 1." in rest
    assert "Stage 1 is up" not in rest
    assert project.left() == []


def test_a_url_is_never_cut(project: Project) -> None:
    up = project.run("up", "1", "--detach", COLUMNS="40")
    assert f"http://localhost:{3000 + project.offset}/#/d/dice-roller-stage1\n" in up.stdout


def test_up_right_after_the_supervisor_was_killed_waits_for_what_it_left(project: Project) -> None:
    slow = SERVICE.replace("lambda *_: sys.exit(0)", "lambda *_: (time.sleep(1), os._exit(0))")
    (project.root / "stage1" / "one" / "service.py").write_text(slow)
    project.run("up", "1", "--detach")
    os.kill(project.state()["supervisor"], signal.SIGKILL)
    up = project.run("up", "1", "--detach")  # while the guard still waits for the services to end
    assert up.returncode == 0, up.stderr
    assert project.state()["state"] == "up"


def test_a_killed_guard_is_replaced(project: Project) -> None:
    project.run("up", "1", "--detach")
    os.kill(project.state()["guard"], signal.SIGKILL)
    os.kill(project.service("one")["pid"], signal.SIGKILL)  # its restart is what the supervisor tells the guard
    eventually(lambda: project.service("one")["restarts"] == 1 and project.service("one")["pid"], "restarted")
    os.kill(project.state()["supervisor"], signal.SIGKILL)
    eventually(lambda: not project.left(), "all gone")


def test_a_killed_service_and_a_killed_stack_come_back(project: Project) -> None:
    process = project.start("up", "1")
    eventually(lambda: is_up(project), "up")
    for name in ("one", "pocket"):
        before = project.service(name)["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda name=name: project.service(name)["restarts"] == 1, f"{name} restarted")  # type: ignore[misc]
        eventually(lambda name=name: project.service(name)["state"] == "healthy", f"{name} healthy")  # type: ignore[misc]
        assert project.service(name)["pid"] != before
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert "one: was killed by SIGKILL; restarting" in output
    assert "pocket: was killed by SIGKILL; restarting" in output


def test_every_log_line_arrives_once_though_the_stack_was_killed_between(project: Project) -> None:
    project.run("up", "1", "--detach")
    url = f"http://127.0.0.1:{8001 + project.offset}/line-"
    for index in range(30):
        fetch(f"{url}{index}.")
        if index == 10:
            eventually(lambda: any("line-10." in line for line in project.arrived()), "the first lines arrived")
            os.kill(project.service("pocket")["pid"], signal.SIGKILL)
    project.run("down")
    arrived = project.arrived()
    for index in range(30):
        assert sum(f"/line-{index}." in line for line in arrived) == 1, index


def test_down_stops_in_reverse_order_and_by_force_what_will_not_go(project: Project) -> None:
    stubborn = project.root / "stage1" / "one" / "stubborn.py"
    stubborn.write_text("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n")
    project.compose(
        "include: [../stack/docker-compose.yml]\n"
        "services:\n  one: {build: one, command: python stubborn.py, stop_grace_period: 300ms}\n"
    )
    assert project.run("up", "1", "--detach").returncode == 0
    time.sleep(0.3)  # let it install its handler
    assert project.run("down").returncode == 0
    assert project.left() == []


def test_what_a_service_started_goes_with_it(project: Project) -> None:
    parent = project.root / "stage1" / "one" / "parent.py"
    parent.write_text("import subprocess, sys, time\nsubprocess.Popen(['sleep', '613'])\ntime.sleep(600)\n")
    project.compose(
        "include: [../stack/docker-compose.yml]\nservices:\n  one: {build: one, command: python parent.py}\n"
    )
    project.run("up", "1", "--detach")
    eventually(lambda: [p for p in processes_of(project.root) if "sleep 613" in p], "the grandchild runs")
    os.kill(project.state()["supervisor"], signal.SIGKILL)
    eventually(lambda: not project.left(), "all gone")


def test_a_one_shot_service_may_end_and_others_wait_for_it(project: Project) -> None:
    project.compose(
        "include: [../stack/docker-compose.yml]\n"
        "services:\n"
        "  first: {build: one, command: [python, -c, \"open('done', 'w').write('x')\"]}\n"
        "  one:\n"
        "    build: one\n"
        "    command: [python, -c, \"import os, time; assert os.path.exists('done'); time.sleep(600)\"]\n"
        "    depends_on: {first: {condition: service_completed_successfully}}\n"
    )
    up = project.run("up", "1", "--detach")
    assert up.returncode == 0, up.stderr
    assert project.service("first")["state"] == "completed"


def test_down_volumes_removes_the_data_and_nothing_else(project: Project) -> None:
    folder = project.root / "mine"
    folder.mkdir()
    (folder / "precious.txt").touch()
    assert project.run("up", "1", "--detach", "--data-dir", str(folder)).returncode == 0
    assert project.run("down", "--volumes", "--data-dir", str(folder)).returncode == 0
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]
