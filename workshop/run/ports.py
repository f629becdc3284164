"""Can the run have its ports? If not, which of them, why, and what to do: one line before anything is started."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workshop.errors import WorkshopError
from workshop.paths import RunPaths, program
from workshop.run.neighbours import neighbours
from workshop.run.spec import ProcessSpec

if TYPE_CHECKING:
    import psutil

HIGHEST = 65535
# Browsers answer these with ERR_UNSAFE_PORT, whoever listens there (https://fetch.spec.whatwg.org/#port-blocking);
# of that list those from 1024 on, below which nobody but root can listen anyway.
BLOCKED = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
)
STEP = 100  # between suggested offsets


def require_ports(specs: Sequence[ProcessSpec], offset: int, paths: RunPaths) -> None:
    """WorkshopError for the first port that does not exist, is wanted twice, no browser opens, or is taken."""
    wanted: dict[int, str] = {}
    for port, who, in_browser in _ports(specs):
        if reason := _unusable(port, in_browser):
            where = f"port offset {offset} puts {who} on port {port}"
            raise WorkshopError(f"{where}, {reason}. Use {_other(specs, offset)}.")
        if port in wanted:
            raise WorkshopError(f"port {port} is wanted by {wanted[port]} and by {who}: change one of them.")
        wanted[port] = who
    for port, who in wanted.items():
        if not is_free(port):
            holder, remedy = _holder(port, paths)
            stop = f"Stop that{remedy}, or use {_other(specs, offset)}."
            raise WorkshopError(f"port {port}, which {who} needs, is in use{holder}. {stop}")


def _ports(specs: Sequence[ProcessSpec], shift: int = 0) -> Iterator[tuple[int, str, bool]]:
    """(port, who wants it, whether that is what its URL shows in a browser)."""
    for spec in specs:
        for purpose, port in spec.ports.items():
            in_browser = spec.url.startswith("http:") and spec.url.endswith(f":{port}")
            yield port + shift, spec.name if purpose == spec.name else f"{spec.name} ({purpose})", in_browser


def _unusable(port: int, in_browser: bool) -> str:
    if port > HIGHEST:
        return f"and {HIGHEST} is the highest there is"
    return "which browsers refuse to open (ERR_UNSAFE_PORT)" if in_browser and port in BLOCKED else ""


def _other(specs: Sequence[ProcessSpec], offset: int) -> str:
    """The next offset, in steps of a hundred and upwards first, at which all ports can be had."""
    above = range(offset - offset % STEP + STEP, HIGHEST, STEP)
    for other in (*above, *range(offset - offset % STEP, -1, -STEP)):
        if all(
            not _unusable(port, browser) and is_free(port) for port, _, browser in _ports(specs, other - offset)
        ):
            return f"--port-offset {other}"
    return "another --port-offset"


def is_free(port: int) -> bool:
    """Whether a server could bind it on loopback; SO_REUSEADDR as servers set it, so TIME_WAIT does not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _holder(port: int, paths: RunPaths) -> tuple[str, str]:
    """` by <whom>`, empty when the machine will not say; ` (<command>)` that makes it go, where one is known."""
    for run in neighbours(paths):
        if any(port in service["ports"].values() for service in run["services"]):
            other = run["offset"]
            return f" by stage {run['stage']} on port offset {other}", f" ({program()} down --port-offset {other})"
    listener = _listener(port)
    remedy = " (docker compose down in the folder of its stage)" if "docker" in listener else ""
    return (f" by {listener}" if listener else ""), remedy


def _listener(port: int) -> str:
    """`<program> (pid N)`; empty when it is somebody else's and we are not root."""
    import psutil  # takes 0.1 s, and is needed only when something is wrong

    with contextlib.suppress(psutil.Error, OSError, RuntimeError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.pid
            if listens and connection.laddr and connection.laddr[1] == port:
                return f"{_program(psutil.Process(connection.pid))} (pid {connection.pid})"
    return ""


def _program(process: psutil.Process) -> str:
    line = " ".join(word.rsplit("/", 1)[-1] for word in process.cmdline()[:3])
    return line[:60] or process.name()
