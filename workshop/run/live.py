"""Is a service well at this moment? The supervisor looks as seldom as its compose file says, once in 15 s."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Sequence

import psutil

from pocket.addresses import LOOPBACK
from workshop.run.health import CONNECT_SECONDS, accepts, refusal
from workshop.run.state import ServiceState

ASKED = {"healthy", "unhealthy"}  # of the others the supervisor knows more
NO_ANSWER = "not answering"
# https://www.postgresql.org/docs/18/protocol-message-formats.html, SSLRequest: any server answers with S or N.
SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def as_of_now(services: Sequence[ServiceState]) -> list[ServiceState]:
    """Each with the state and the reason that it has now; all are asked at once, for two seconds at most."""

    async def ask() -> list[ServiceState]:
        return await asyncio.gather(*map(_now, services))

    return asyncio.run(ask())


async def _now(service: ServiceState) -> ServiceState:
    if service["state"] not in ASKED:
        return service
    reason = await _silence(service)
    if not reason:
        return service
    return {**service, "state": NO_ANSWER, "reason": stopped(service["pid"]) or reason}


async def _silence(service: ServiceState) -> str:
    """Why there is no answer; empty for any, as what a refusal means is for the supervisor to judge."""
    if url := service.get("health_url"):  # absent in what an earlier version wrote
        reason = await refusal(url)
        return reason if reason.endswith("gets no answer") else ""
    for port in service["ports"].values():
        answers = _postgres if service["url"].startswith("postgresql:") else accepts
        if not await answers(port):
            return f"port {port} gives no answer"
    return ""


async def _postgres(port: int) -> bool:
    """The kernel accepts in place of a server that stands still; only its answer tells."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            with contextlib.closing(writer):
                writer.write(SSL_REQUEST)
                answer = await reader.read(1)
    except (OSError, TimeoutError):
        return False
    return answer in (b"S", b"N")


def stopped(pid: int | None, *, children: bool = True) -> str:
    """That the process, or one of its children, was stopped by a signal, and what wakes it; else empty."""
    if pid is None:
        return ""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        family = (process, *process.children(recursive=True)) if children else (process,)
        asleep = [str(each.pid) for each in family if each.status() == psutil.STATUS_STOPPED]
        return f"stopped by a signal; wake it: kill -CONT {' '.join(asleep)}" if asleep else ""
    return ""
