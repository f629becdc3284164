"""What has to run for a stage without Docker: the pocket stack and the compose file's services, moved here."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from pocket.addresses import LOOPBACK, PORTS
from pocket.addresses import url as address
from workshop.compose.model import HEALTHY, Project, Service
from workshop.compose.reader import read
from workshop.compose.rewrite import Rewriter
from workshop.errors import WorkshopError
from workshop.paths import COMPOSE_FILE, RunPaths, require_utf8, stage_folder
from workshop.plan import passwords
from workshop.plan.images import scheme, stand_in
from workshop.plan.spec import ProcessSpec
from workshop.plan.stack import (
    GRAFANA_PASSWORD,
    POCKET,
    POCKET_VARIABLES,
    READY_PATHS,
    STACK_HOSTS,
    USAGE,
)

TRAFFIC_SCRIPT = Path("traffic-gen") / "generate_traffic.py"
GENTLE_TRAFFIC = {"NUM_USERS": "3", "THINK_TIME_SECONDS": "1", "DURATION_SECONDS": "0", "MAX_ROLLS_PER_USER": "0"}
# A service gets what its compose file says and these; nothing else of the learner's shell may leak in.
INHERITED = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")


@dataclass(frozen=True)
class Plan:
    stage: int
    offset: int
    root: Path
    paths: RunPaths
    project: Project
    rewriter: Rewriter
    specs: tuple[ProcessSpec, ...]  # the pocket stack first
    traffic: ProcessSpec | None

    @property
    def alloy_port(self) -> int:
        return PORTS["alloy"] + self.offset


def make_plan(root: Path, stage: int, offset: int, paths: RunPaths) -> Plan:
    """Reads the stage's compose file; WorkshopError when it cannot be run without Docker."""
    folder = stage_folder(root, stage)
    for path in (root, paths.data_dir):
        require_utf8(path)
    known = passwords.stored(paths)
    project = read(folder / COMPOSE_FILE, POCKET_VARIABLES | os.environ | known)
    rewriter = Rewriter(project.hosts | {*STACK_HOSTS}, project.ports | {*PORTS.values()}, offset)
    services = [service for service in project.services.values() if not service.profiles]
    specs = [_service_spec(project, service, rewriter, paths) for service in services]
    moved = [rewriter.service(service) for service in services]
    pocket = _pocket_spec(root, offset, paths, _pocket_arguments(root, stage, offset, paths, moved), known)
    traffic = _traffic_spec(folder, project, rewriter)
    return Plan(stage, offset, root, paths, project, rewriter, (pocket, *specs), traffic)


def base_environment() -> dict[str, str]:
    """The caller's environment reduced to INHERITED, with this Python's own programs first on the path."""
    bin_folder = str(Path(sys.executable).parent)
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    path = os.pathsep.join((bin_folder, os.environ.get("PATH", os.defpath)))
    # In UTF-8, whatever the locale: under a Latin-1 one a log line with ☃ in it would be lost, with ü be garbage.
    return {**kept, "PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def _pocket_arguments(root: Path, stage: int, offset: int, paths: RunPaths, services: list[Service]) -> list[str]:
    folder = stage_folder(root, stage)
    arguments = ["--data-dir", str(paths.pocket), "--port-offset", str(offset), "--stage", str(stage)]
    arguments += ["--prometheus-config", str(root / "stack" / "prometheus" / "prometheus.yml")]
    arguments += ["--dashboards", str(folder / "grafana-dashboards")]
    for service in services:
        arguments += ["--host", ":".join((service.name, *map(str, service.ports[:1])))]
        if service.name == USAGE and (folder / "alloy" / "config.alloy").is_file():
            arguments += ["--usage-endpoint", f"http://{LOOPBACK}:{service.ports[0]}/v1/logs"]
    return arguments


def _pocket_spec(
    root: Path, offset: int, paths: RunPaths, arguments: list[str], known: dict[str, str]
) -> ProcessSpec:
    ports = {name: port + offset for name, port in PORTS.items()}
    # The UI runs `workshop check`, which has to find this very run, and asks the database as Grafana does.
    environment = base_environment() | {"WORKSHOP_ROOT": str(root), "WORKSHOP_DATA_DIR": str(paths.data_dir)}
    if GRAFANA_PASSWORD in known:
        environment[GRAFANA_PASSWORD] = known[GRAFANA_PASSWORD]
    return ProcessSpec(
        name=POCKET,
        argv=(sys.executable, "-m", "pocket", *arguments),
        cwd=root / "stack",
        environment=environment,
        ports=ports,
        url=f"http://localhost:{ports['grafana']}",
        health_urls=tuple(f"{address(name, offset)}{path}" for name, path in READY_PATHS.items()),
        restart="always",
        ships_logs=False,
    )


def _service_spec(project: Project, service: Service, rewriter: Rewriter, paths: RunPaths) -> ProcessSpec:
    where = f"{project.path}:{service.line}: service {service.name}"
    if service.ports != service.container_ports:
        raise WorkshopError(f"{where}: ports: without Docker the number outside and inside has to be the same.")
    moved = rewriter.service(service)
    if moved.build is None:
        moved = _infrastructure(moved, paths, where)
    if not moved.command:
        raise WorkshopError(f"{where}: `command:` is missing; without Docker it says what to run.")
    return ProcessSpec(
        name=moved.name,
        argv=_with_this_python(moved.command),
        cwd=moved.build or project.path.parent,
        environment=base_environment() | moved.environment,
        ports={moved.name if not index else f"port {index + 1}": port for index, port in enumerate(moved.ports)},
        url=f"{scheme(service.image)}://localhost:{moved.ports[0]}" if moved.ports else "",
        depends_on=moved.depends_on,
        healthcheck=moved.healthcheck,
        restart=moved.restart,
        stop_signal=signal.Signals[moved.stop_signal],
        stop_grace_period=moved.stop_grace_period,
    )


def _infrastructure(service: Service, paths: RunPaths, where: str) -> Service:
    """An image's stand-in. Its health check needs the image's programs: accepting on its ports has to do."""
    run = stand_in(service.image)
    if run is None:
        raise WorkshopError(f"{where}: image {service.image or '(none)'} cannot run without Docker.")
    if not service.ports:
        raise WorkshopError(f"{where}: `ports:` is missing; without Docker it says where to listen.")
    return replace(service, command=run(service, paths), healthcheck=None)


def _with_this_python(command: tuple[str, ...]) -> tuple[str, ...]:
    """`python` is this interpreter: its folder is on the path, but may hold no `python`."""
    if command[0] in ("python", "python3"):
        return (sys.executable, *command[1:])
    return command


def _traffic_spec(folder: Path, project: Project, rewriter: Rewriter) -> ProcessSpec | None:
    """Gentle traffic without an end, so that dashboards stay alive."""
    if not (folder / TRAFFIC_SCRIPT).is_file():
        return None
    return ProcessSpec(
        name="traffic",
        argv=(sys.executable, TRAFFIC_SCRIPT.name),
        cwd=folder / TRAFFIC_SCRIPT.parent,
        environment=traffic_environment(project, rewriter) | GENTLE_TRAFFIC,
        depends_on={service.name: HEALTHY for service in project.services.values() if not service.profiles},
        restart="on-failure",
        stop_grace_period=5.0,
        ships_logs=False,
    )


def traffic_environment(project: Project, rewriter: Rewriter) -> dict[str, str]:
    """What the compose file's `traffic` service would have, moved here."""
    service = project.services.get("traffic")
    given = rewriter.environment(service.environment) if service else {}
    return base_environment() | given
