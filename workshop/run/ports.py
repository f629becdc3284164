"""Can the run have its ports? If not, which of them, why, and what to do: one line before anything is started."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pocket.addresses import HIGHEST_PORT, LOOPBACK
from workshop.errors import WorkshopError
from workshop.paths import RunPaths, program
from workshop.plan.spec import ProcessSpec
from workshop.run.neighbours import neighbours_ports
from workshop.run.state import RunState

if TYPE_CHECKING:
    import psutil

# Browsers answer these with ERR_UNSAFE_PORT, whoever listens there (https://fetch.spec.whatwg.org/#port-blocking);
# of that list those from 1024 on, below which nobody but root can listen anyway.
BLOCKED = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
)
LENT = Path("/proc/sys/net/ipv4/ip_local_port_range")
IANA_LENT = range(49152, 65536)  # RFC 6335, 6
STEP = 100  # between suggested offsets


def require_ports(specs: Sequence[ProcessSpec], offset: int, paths: RunPaths) -> None:
    """WorkshopError for the first port that does not exist, is wanted twice, no browser opens, or is another's."""
    wanted: dict[int, str] = {}
    taken = neighbours_ports(paths)
    for port, who, in_browser in _ports(specs):
        if reason := _unusable(port, in_browser):
            where = f"port offset {offset} puts {who} on port {port}"
            raise WorkshopError(f"{where}, {reason}. Use {_other(specs, offset, taken)}.")
        if port in wanted:
            raise WorkshopError(f"port {port} is wanted by {wanted[port]} and by {who}: change one of them.")
        wanted[port] = who
    for port, who in wanted.items():
        if port in taken:
            raise WorkshopError(_met(port, who, *taken[port], _other(specs, offset, taken)))
        if not is_free(port):
            raise WorkshopError(_in_use(port, who, _other(specs, offset, taken)))


def warning(specs: Sequence[ProcessSpec], offset: int) -> str:
    """A line where an outgoing connection may take one of the ports at any time; else empty."""
    lent = lent_ports()
    found = [(port, who) for port, who, _ in _ports(specs) if port in lent]
    if not found:
        return ""
    port, who = found[0]
    outside = f"{_other(specs, offset, ())} is outside"
    return f"port {port} of {who} is one that the system lends to outgoing connections, {_range(lent)}: {outside}."


def lent_ports() -> range:
    """Of these the system gives one to each connection that leaves, for as long as that lasts."""
    try:
        first, last = map(int, LENT.read_bytes().split())
    except (OSError, ValueError):
        return IANA_LENT  # macOS, BSD
    return range(first, last + 1)


def _range(lent: range) -> str:
    return f"{lent[0]} to {lent[-1]}"


def _met(port: int, who: str, purpose: str, run: RunState, other: str) -> str:
    """A run's port is its own even while the service there is stopped."""
    stage, offset = run["stage"], run["offset"]
    stop = f"Stop that ({program()} down --port-offset {offset}), or use {other}."
    return f"port {port}, which {who} needs, belongs to {purpose} of stage {stage} on port offset {offset}. {stop}"


def _in_use(port: int, who: str, other: str) -> str:
    holder = _listener(port)
    if not holder and port in (lent := lent_ports()):
        why = f"the system lends {_range(lent)}"
        return f"port {port}, which {who} needs, is taken by an outgoing connection ({why}). Use {other}."
    remedy = " (docker compose down in the folder of its stage)" if "docker" in holder else ""
    by = f" by {holder}" if holder else ""
    return f"port {port}, which {who} needs, is in use{by}. Stop that{remedy}, or use {other}."


def _ports(specs: Sequence[ProcessSpec], shift: int = 0) -> Iterator[tuple[int, str, bool]]:
    """(port, who wants it, whether that is what its URL shows in a browser)."""
    for spec in specs:
        for purpose, port in spec.ports.items():
            in_browser = spec.url.startswith("http:") and spec.url.endswith(f":{port}")
            yield port + shift, spec.name if purpose == spec.name else f"{spec.name} ({purpose})", in_browser


def _unusable(port: int, in_browser: bool) -> str:
    if port > HIGHEST_PORT:
        return f"and {HIGHEST_PORT} is the highest there is"
    return "which browsers refuse to open (ERR_UNSAFE_PORT)" if in_browser and port in BLOCKED else ""


def _other(specs: Sequence[ProcessSpec], offset: int, taken: Container[int]) -> str:
    """The next offset, in steps of a hundred and upwards first, at which all ports can be had, best for good."""
    lent, begin = lent_ports(), offset - offset % STEP
    offsets = (*range(begin + STEP, HIGHEST_PORT, STEP), *range(begin, -1, -STEP))
    for avoided in (lent, range(0)):
        for other in offsets:
            wanted = list(_ports(specs, other - offset))
            if any(port in avoided or port in taken or _unusable(port, browser) for port, _, browser in wanted):
                continue
            if all(is_free(port) for port, _, _ in wanted):
                return f"--port-offset {other}"
    return "another --port-offset"


def is_free(port: int) -> bool:
    """Whether a server could bind it on loopback; SO_REUSEADDR as servers set it, so TIME_WAIT does not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


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
