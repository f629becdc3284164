"""Is a child healthy? Asked the way Docker asks, but fast at start: no test before the ports accept."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

from pocket.addresses import LOOPBACK
from workshop.plan.spec import ProcessSpec

CONNECT_SECONDS = 1.0
URL_SECONDS = 2.0
ANSWER_BYTES = 4096


async def probe(spec: ProcessSpec) -> str:
    """Empty when healthy, else the reason in a few words."""
    for port in spec.ports.values():
        if not await accepts(port):
            return f"port {port} does not accept connections"
    for url in spec.health_urls:
        if reason := await refusal(url):
            return reason
    return await run_test(spec) if spec.healthcheck else ""


async def accepts(port: int) -> bool:
    """Whether somebody listens there, on loopback."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(LOOPBACK, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def refusal(url: str) -> str:
    """What a GET of it gives that is no 2xx, with the first of its body; empty when it is one.

    HTTP/1.0 by hand: httpx takes 0.3 s to import.
    """
    parts = urlsplit(url)
    request = f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
    try:
        async with asyncio.timeout(URL_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            with contextlib.closing(writer):  # in time or not
                writer.write(request.encode())
                head, _, body = (await _begin_of(reader)).partition("\r\n\r\n")
        status = int(head.split()[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return f"GET {url} gets no answer"
    return "" if 200 <= status < 300 else f"GET {url} answers {status} {' '.join(body.split())[:160]}".rstrip()


async def _begin_of(reader: asyncio.StreamReader) -> str:
    answer = b""
    while len(answer) < ANSWER_BYTES and (chunk := await reader.read(ANSWER_BYTES)):
        answer += chunk
    return answer.decode(errors="replace")


async def run_test(spec: ProcessSpec) -> str:
    """Runs the compose file's health check in the service's own folder and environment."""
    check = spec.healthcheck
    assert check is not None
    try:
        process = await asyncio.create_subprocess_exec(
            *check.test,
            cwd=spec.cwd,
            env=spec.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        return f"health check cannot run: {error}"
    try:
        async with asyncio.timeout(check.timeout):
            output, _ = await process.communicate()
    except TimeoutError:
        return f"health check took longer than {check.timeout:g} s"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == 0:
        return ""
    last = output.decode(errors="replace").strip().rpartition("\n")[2]
    return await _refused(spec) or f"health check exit {process.returncode}: {last[:200]}"


async def _refused(spec: ProcessSpec) -> str:
    """What the URL says that a failing test asks for: more than the test's last line, which is the library's."""
    return await refusal(spec.health_url) if spec.health_url else ""
