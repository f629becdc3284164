"""Is a child healthy? Asked the way Docker asks, but fast at start: no test before the ports accept."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

from workshop.run.spec import ProcessSpec

CONNECT_SECONDS = 1.0
URL_SECONDS = 2.0


async def probe(spec: ProcessSpec) -> str:
    """Empty when healthy, else the reason in a few words."""
    for port in spec.ports.values():
        if not await accepts(port):
            return f"port {port} does not accept connections"
    for url in spec.health_urls:
        status = await http_status(url)
        if not 200 <= status < 300:
            return f"{url} answers {status or 'nothing'}"
    return await run_test(spec) if spec.healthcheck else ""


async def accepts(port: int) -> bool:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def http_status(url: str) -> int:
    """The status of a GET, 0 when there is no answer. HTTP/1.0 by hand: httpx takes 0.3 s to import."""
    parts = urlsplit(url)
    request = f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
    try:
        async with asyncio.timeout(URL_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(request.encode())
            line = await reader.readline()
            writer.close()
        return int(line.split()[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return 0


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
    last = output.decode(errors="replace").strip().rpartition("\n")[2]
    return "" if process.returncode == 0 else f"health check exit {process.returncode}: {last[:200]}"
