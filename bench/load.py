"""A closed-loop HTTP/1.1 load on raw asyncio streams.

httpx spends about as much CPU a request as the service under test, so on a small machine it would measure
itself; writing one constant request and reading to its end costs a tenth of that.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Load:
    """What came of a load: requests, those not answered 2xx, seconds, latencies in seconds, sorted."""

    requests: int
    failed: int
    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return head[9:10] == b"2"


async def _connection(url: str, until: float, latencies: list[float], failures: list[int]) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    path = f"{parts.path}?{parts.query}"
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    try:
        while (began := time.perf_counter()) < until:
            ok = await _exchange(reader, writer, request)
            latencies.append(time.perf_counter() - began)
            failures[0] += not ok
    finally:
        writer.close()


async def closed_loop(url: str, *, connections: int = 16, seconds: float = 5.0) -> Load:
    """Keep `connections` requests to a loopback `url` in flight for `seconds`."""
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        raise ValueError(f"the load goes to loopback only, not to {url}")
    latencies: list[float] = []
    failures = [0]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_connection(url, began + seconds, latencies, failures))
    elapsed = time.perf_counter() - began
    return Load(len(latencies), failures[0], elapsed, sorted(latencies))
