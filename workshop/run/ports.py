"""Is a port free, and if not, who has it?"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from workshop.errors import WorkshopError
from workshop.run.spec import ProcessSpec

if TYPE_CHECKING:
    import psutil


def is_free(port: int) -> bool:
    """Whether a server could bind it on loopback; SO_REUSEADDR as servers set it, so TIME_WAIT does not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """` by <program> (pid N)`, or nothing when the machine will not say."""
    import psutil  # takes 0.1 s, and is needed only when something is wrong

    with contextlib.suppress(psutil.Error, OSError, RuntimeError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.pid
            if listens and connection.laddr and connection.laddr[1] == port:
                return f" by {_program(psutil.Process(connection.pid))} (pid {connection.pid})"
    return ""


def _program(process: psutil.Process) -> str:
    line = " ".join(word.rsplit("/", 1)[-1] for word in process.cmdline()[:3])
    return line[:60] or process.name()


def require_free(specs: Iterable[ProcessSpec], offset: int) -> None:
    """One line for the first port that is taken: the port, who wants it, who has it, what to do."""
    for spec in specs:
        for purpose, port in spec.ports.items():
            if port > 65535:
                raise WorkshopError(f"port {port} for {spec.name} does not exist: use a smaller --port-offset.")
            if not is_free(port):
                wanted = spec.name if purpose == spec.name else f"{spec.name} ({purpose})"
                raise WorkshopError(
                    f"port {port}, which {wanted} needs, is in use{holder(port)}. "
                    f"Stop that, or use other ports: --port-offset {1000 if not offset else offset + 100}."
                )
