"""docker-compose.yml → Project. Every error is one line with the file and the line in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workshop.compose import fields
from workshop.compose.interpolate import InterpolationError, interpolate
from workshop.compose.located import LocatedList, LocatedMap, kind, load
from workshop.compose.model import Project, Service
from workshop.errors import WorkshopError


def read(path: Path, environment: Mapping[str, str] | None = None) -> Project:
    """The project of a compose file; variables come from `environment` (default: the caller's) and `.env`."""
    given = os.environ if environment is None else environment
    variables = {**_dotenv(path.parent / ".env"), **given}
    return _read(path, variables, ())


def _read(path: Path, variables: dict[str, str], including: tuple[Path, ...]) -> Project:
    if path in including:
        raise WorkshopError(f"{path}: includes itself.")
    raw = load(path)
    document = _interpolated(raw, variables, path, raw.line)
    included = _included(document, path, variables, (*including, path))
    section = document.get("services")
    if not isinstance(section, LocatedMap) or (not section and not included):
        line = document.lines.get("services", 1)
        raise WorkshopError(f"{path}:{line}: expected `services:` with at least one service.")
    services = {name: _service(path, section, name, variables) for name in section}
    project = Project(path, str(document.get("name", path.parent.name)), services, included)
    _check_dependencies(project)
    return project


def _interpolated(value: Any, variables: dict[str, str], path: Path, line: int) -> Any:
    if isinstance(value, LocatedMap):
        for key in value:
            value[key] = _interpolated(value[key], variables, path, value.lines[key])
    elif isinstance(value, LocatedList):
        value[:] = [_interpolated(item, variables, path, value.line) for item in value]
    elif isinstance(value, str) and "$" in value:
        try:
            return interpolate(value, variables)
        except InterpolationError as error:
            raise WorkshopError(f"{path}:{line}: {error}.") from None
    return value


def _included(
    document: LocatedMap, path: Path, variables: dict[str, str], including: tuple[Path, ...]
) -> dict[str, Service]:
    found: dict[str, Service] = {}
    for entry in document.get("include") or ():
        target = entry.get("path") if isinstance(entry, dict) else entry
        for name in target if isinstance(target, list) else [target]:
            file = (path.parent / str(name)).resolve()
            if not file.is_file():
                line = document.lines["include"]
                raise WorkshopError(f"{path}:{line}: includes {name}, which does not exist ({file}).")
            project = _read(file, {**_dotenv(file.parent / ".env"), **variables}, including)
            found |= project.services | project.included
    return found


def _service(path: Path, section: LocatedMap, name: str, variables: dict[str, str]) -> Service:
    body = section[name]
    if not isinstance(body, LocatedMap):
        raise WorkshopError(f"{path}:{section.lines[name]}: service {name}: expected a map, found {kind(body)}.")

    def field(key: str, reader: Callable[[Any], Any], default: Any) -> Any:
        if body.get(key) is None:
            return default
        try:
            return reader(body[key])
        except (ValueError, TypeError, AttributeError) as error:
            raise WorkshopError(f"{path}:{body.lines[key]}: service {name}: {key}: {error}.") from None

    folder = path.parent
    ports = field("ports", fields.ports, ())
    return Service(
        name=name,
        command=field("entrypoint", fields.words, ()) + field("command", fields.words, ()),
        environment=_environment(field, folder, variables),
        ports=tuple(host for host, _ in ports),
        container_ports=tuple(container for _, container in ports),
        depends_on=field("depends_on", fields.depends_on, {}),
        healthcheck=field("healthcheck", fields.healthcheck, None),
        build=field("build", lambda value: fields.build_context(value, folder), None),
        image=field("image", fields.scalar, ""),
        volumes=field("volumes", lambda value: fields.bind_mounts(value, folder), ()),
        profiles=field("profiles", fields.words, ()),
        restart=field("restart", fields.scalar, "no").partition(":")[0],
        stop_signal=field("stop_signal", fields.scalar, "SIGTERM"),
        stop_grace_period=field("stop_grace_period", fields.duration, 10.0),
        line=section.lines[name],
    )


def _environment(field: Callable[..., Any], folder: Path, variables: dict[str, str]) -> dict[str, str]:
    def files(value: Any) -> dict[str, str]:
        names = value if isinstance(value, list) else [value]
        merged: dict[str, str] = {}
        for name in names:
            merged |= _dotenv(folder / str(name.get("path") if isinstance(name, dict) else name))
        return merged

    own = field("environment", lambda value: fields.environment(value, variables), {})
    return {**field("env_file", files, {}), **own}


def _check_dependencies(project: Project) -> None:
    for service in project.services.values():
        for name in service.depends_on:
            if name not in project.hosts:
                where = f"{project.path}:{service.line}: service {service.name}"
                raise WorkshopError(f"{where}: depends_on {name}, which is not a service here.")
    _refuse_cycles(project)


def _refuse_cycles(project: Project) -> None:
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            cycle = " → ".join((*above[above.index(name) :], name))
            line = project.services[name].line
            raise WorkshopError(f"{project.path}:{line}: depends_on goes round in a circle: {cycle}.")
        if name in project.services and name not in done:
            for dependency in project.services[name].depends_on:
                visit(dependency, (*above, name))
            done.add(name)

    for name in project.services:
        visit(name, ())


def _dotenv(path: Path) -> dict[str, str]:
    """NAME=value lines; `#` starts a comment line; quotes around a value are taken off."""
    if not path.is_file():
        return {}
    lines = (line.strip().removeprefix("export ") for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}
