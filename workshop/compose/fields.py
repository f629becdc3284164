"""Readers for the forms a compose field can take: each short and long form becomes one Python value.

All raise ValueError with a message that fits behind `file:line: service NAME: `.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from workshop.compose.located import kind
from workshop.compose.model import STARTED, Healthcheck

UNIT_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")


def duration(value: Any) -> float:
    """Seconds of a compose duration such as `1m30s`; a bare number is seconds."""
    text = str(value).strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not text or DURATION.sub("", text):
        raise ValueError(f"{text!r} is no duration (write 5s, 1m30s)")
    return sum(float(number) * UNIT_SECONDS[unit] for number, unit in DURATION.findall(text))


def words(value: Any) -> tuple[str, ...]:
    """A command: a list as it is, a string split as a shell would (Compose does not run one either)."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    if isinstance(value, str):
        return tuple(shlex.split(value))
    raise ValueError(f"expected a string or a list, found {kind(value)}")


def scalar(value: Any) -> str:
    """A string; a number or boolean as YAML would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"expected a string, found {kind(value)}")


def environment(value: Any, inherited: dict[str, str]) -> dict[str, str]:
    """A map or a list of `NAME=value`; a name alone takes its value from the caller's environment."""
    if value is None:
        return {}
    if isinstance(value, dict):
        pairs = [(key, item) for key, item in value.items()]
    elif isinstance(value, list):
        split = [str(item).partition("=") for item in value]
        pairs = [(name, text if equals else None) for name, equals, text in split]
    else:
        raise ValueError(f"expected a map or a list, found {kind(value)}")
    given = {name: inherited.get(name) if item is None else scalar(item) for name, item in pairs}
    return {name: text for name, text in given.items() if text is not None}


def ports(value: Any) -> tuple[tuple[int, int], ...]:
    """(host port, container port). Short form `[ip:]host:container[/tcp]` or long form `{published, target}`."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"expected a list, found {kind(value)}")
    return tuple(_port(item) for item in value)


def _port(item: Any) -> tuple[int, int]:
    if isinstance(item, dict):
        published, target = str(item.get("published", "")), str(item.get("target", ""))
    else:
        parts = str(item).partition("/")[0].rsplit(":", 2)
        published, target = (parts[-2] if len(parts) > 1 else parts[-1]), parts[-1]
    if not published.isdigit() or not target.isdigit() or not 0 < int(published) < 65536:
        raise ValueError(f"port {item!r} is not of the form host:container (8001:8001)")
    return int(published), int(target)


def depends_on(value: Any) -> dict[str, str]:
    """Service → condition; a bare list means started."""
    if value is None:
        return {}
    if isinstance(value, list):
        return {str(name): STARTED for name in value}
    if isinstance(value, dict):
        return {name: str((item or {}).get("condition", STARTED)) for name, item in value.items()}
    raise ValueError(f"expected a list or a map, found {kind(value)}")


def healthcheck(value: Any) -> Healthcheck | None:
    """None when there is no check, or it is switched off."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"expected a map, found {kind(value)}")
    test = _health_test(value.get("test"))
    if value.get("disable") or not test:
        return None
    times = {key: duration(value[key]) for key in ("interval", "timeout", "start_period") if key in value}
    return Healthcheck(test=test, retries=int(value.get("retries", 3)), **times)


def _health_test(test: Any) -> tuple[str, ...]:
    if isinstance(test, str):
        return ("/bin/sh", "-c", test)
    if not isinstance(test, list) or not test:
        return ()
    head, *rest = [str(item) for item in test]
    forms = {"NONE": (), "CMD": tuple(rest), "CMD-SHELL": ("/bin/sh", "-c", *rest)}
    if head not in forms:
        raise ValueError(f"test has to begin with CMD, CMD-SHELL or NONE, found {head!r}")
    return forms[head]


def build_context(value: Any, folder: Path) -> Path | None:
    """The folder to build from; None where an image is given."""
    if value is None:
        return None
    context = value.get("context", ".") if isinstance(value, dict) else value
    path = (folder / scalar(context)).resolve()
    if not path.is_dir():
        raise ValueError(f"the folder {path} does not exist")
    return path


def bind_mounts(value: Any, folder: Path) -> tuple[tuple[Path, str], ...]:
    """Bind mounts alone, (path here, path in the container); named volumes have no meaning without Docker."""
    found = []
    for item in value or ():
        if isinstance(item, dict):
            source, target = str(item.get("source", "")), str(item.get("target", ""))
        else:
            source, _, rest = str(item).partition(":")
            target = rest.partition(":")[0]
        if source.startswith((".", "/", "~")) and target:
            found.append(((folder / Path(source).expanduser()).resolve(), target))
    return tuple(found)
