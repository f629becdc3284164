"""Port offsets that cannot work are refused before anything starts, with one that does."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from workshop.errors import WorkshopError
from workshop.paths import RunPaths
from workshop.plan.spec import ProcessSpec
from workshop.run import ports

from .conftest import COMPOSE, Project

real_lent_ports = ports.lent_ports


def spec(name: str, *numbers: int, url: str = "") -> ProcessSpec:
    return ProcessSpec(name, ("true",), Path("/"), {}, ports={str(number): number for number in numbers}, url=url)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunPaths:
    monkeypatch.setenv("WORKSHOP_ROOT", str(tmp_path))
    return RunPaths(tmp_path / "run")


@pytest.fixture(autouse=True)
def _all_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _: True)
    monkeypatch.setattr(ports, "lent_ports", lambda: range(0))


def refusal(specs: list[ProcessSpec], offset: int, paths: RunPaths) -> str:
    with pytest.raises(WorkshopError) as refused:
        ports.require_ports(specs, offset, paths)
    return str(refused.value)


@pytest.mark.parametrize("offset", [3000, 3566, 3665, 3669, 3697, 7080])
def test_a_page_on_a_port_that_browsers_refuse(offset: int, paths: RunPaths) -> None:
    specs = [spec("pocket", 3000 + offset, 3100 + offset, url=f"http://localhost:{3000 + offset}")]
    line = refusal(specs, offset, paths)
    assert f"port {3000 + offset}, which browsers refuse to open (ERR_UNSAFE_PORT). Use --port-offset " in line
    assert line.endswith(f"--port-offset {offset - offset % 100 + 100}.")


def test_a_port_that_no_browser_opens_may_be_any(paths: RunPaths) -> None:
    ports.require_ports([spec("postgres", 6000, url="postgresql://localhost:6000")], 0, paths)
    ports.require_ports([spec("pocket", 3900, 6000, url="http://localhost:3900")], 0, paths)


def test_beyond_the_last_port_a_smaller_offset_is_offered(paths: RunPaths) -> None:
    line = refusal([spec("postgres", 15432 + 50200)], 50200, paths)
    assert "on port 65632, and 65535 is the highest there is. Use --port-offset 50100." in line


def test_two_that_want_the_same_port(paths: RunPaths) -> None:
    line = refusal([spec("one", 8001), spec("two", 8001)], 0, paths)
    assert line == "port 8001 is wanted by one (8001) and by two (8001): change one of them."


def test_the_offset_that_is_offered_has_only_free_ports_that_browsers_open(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port not in {8001, 8101})
    monkeypatch.setattr(ports, "_listener", lambda port: "")
    specs = [spec("one", 8001), spec("ui", 5800, url="http://localhost:5800")]  # 5800 + 200 is blocked
    assert refusal(specs, 0, paths).endswith("Stop that, or use --port-offset 300.")


def test_a_run_of_ours_is_named_with_the_command_that_stops_it(project: Project) -> None:
    other = Project(project.root, project.offset + 1)
    project.compose(COMPOSE.replace("8002", "8000"))
    assert project.run("up", "1", "--detach").returncode == 0
    refused = other.run("up", "1")
    other.stop()
    assert refused.returncode == 1
    down = f"workshop down --port-offset {project.offset}"
    assert f"of stage 1 on port offset {project.offset}. Stop that ({down}), or use --port" in refused.stderr
    offered = re.search(r"--port-offset (\d+)\.$", refused.stderr.strip())
    assert offered
    with socket.create_server(("127.0.0.1", 8001 + int(offered[1]))):
        pass


def test_offsets_that_meet_are_refused_even_while_the_other_is_stopped(project: Project) -> None:
    """A hundred apart, one's Grafana is the other's Loki."""
    near = Project(project.root, project.offset + 100)
    assert project.run("up", "1", "--detach").returncode == 0
    assert project.run("stop", "pocket").returncode == 0  # so that nobody listens there
    refused = near.run("up", "1")
    near.stop()
    assert refused.returncode == 1
    port, offset = 3000 + near.offset, project.offset
    assert (
        f"port {port}, which pocket (grafana) needs, belongs to loki of stage 1 on port offset {offset}."
        in refused.stderr
    )
    assert f"Stop that (workshop down --port-offset {offset}), or use --port-offset " in refused.stderr


def test_a_neighbours_loki_is_no_grafana_to_check(project: Project) -> None:
    near = Project(project.root, project.offset + 100)
    assert project.run("up", "1", "--detach").returncode == 0
    asked = near.run("check", "1", "--deadline", "1")
    assert asked.returncode == 2
    offset = project.offset
    assert f"But stage 1 does elsewhere: workshop check 1 --port-offset {offset}\n" in asked.stderr


def test_a_port_that_an_outgoing_connection_has(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "lent_ports", lambda: range(32768, 61000))
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as outgoing,
    ):
        port = outgoing.getsockname()[1]
        monkeypatch.setattr(ports, "lent_ports", lambda: range(port - port % 100, 65536))
        monkeypatch.setattr(ports, "is_free", lambda asked: asked != port)
        line = refusal([spec("one", port)], port - 8001, paths)
    assert line.startswith(
        f"port {port}, which one ({port}) needs, is taken by an outgoing connection (the system "
    )
    offered = re.search(r"Use --port-offset (\d+)\.$", line)
    assert offered
    assert 8001 + int(offered[1]) < port - port % 100


def test_a_port_that_may_be_lent_is_a_warning(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "lent_ports", lambda: range(32768, 61000))
    specs = [spec("pocket", 3000 + 30000), spec("postgres", 15432 + 30000)]
    ports.require_ports(specs, 30000, paths)  # no reason to refuse
    assert ports.warning(specs, 30000) == (
        "port 33000 of pocket (33000) is one that the system lends to outgoing connections, 32768 to 60999: "
        "--port-offset 17300 is outside."
    )
    assert ports.warning([spec("pocket", 3000)], 0) == ""


def test_the_range_is_the_systems() -> None:
    if ports.LENT.exists():
        first, last = ports.LENT.read_text(encoding="utf-8").split()
        assert real_lent_ports() == range(int(first), int(last) + 1)
    else:
        assert real_lent_ports() == ports.IANA_LENT
