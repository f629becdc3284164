"""The usage route: usage events go to usage-service as OTLP logs over HTTP, however long that takes."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

import httpx
import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from pocket.route.queue import UsageQueue
from pocket.rows import LogEntry
from pocket.store import Store

log = logging.getLogger(__name__)

BATCH = 200
FIRST_BACKOFF, MAX_BACKOFF = 0.5, 10.0
_TIMEOUT = 10.0
# A body the receiver will never take (OTLP: not retryable). All else, 404 too, may be right once it is set up.
_POISON = {400, 413, 422}


class UsageRoute:
    """Without an endpoint, or before stage 6, events go nowhere else than the store."""

    def __init__(self, store: Store, queue: UsageQueue | None, endpoint: str | None) -> None:
        self._store, self._queue, self._endpoint = store, queue, endpoint
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def waiting(self) -> int:
        """Events not yet acknowledged."""
        return len(self._queue) if self._queue is not None else 0

    @property
    def full(self) -> bool:
        """Whether `put` should wait."""
        return self._queue is not None and self._queue.full

    def put(self, entries: Sequence[LogEntry]) -> None:
        """Returns when the events are on disk. May be called from any thread."""
        if self._queue is None or not entries:
            return
        self._queue.put([_pack(entry) for entry in entries])
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._arrived.set)

    async def run(self) -> None:
        """Delivers until cancelled."""
        queue, endpoint = self._queue, self._endpoint
        if queue is None or endpoint is None:
            return
        self._loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT) as client:
            backoff, size = FIRST_BACKOFF, BATCH
            while True:
                self._arrived.clear()
                batch = await asyncio.to_thread(queue.oldest, size)
                if not batch:
                    await self._arrived.wait()
                    continue
                status = await _send(client, endpoint, [body for _, body in batch])
                if status in _POISON and len(batch) > 1:
                    size = len(batch) // 2  # the event that is refused stands alone in the end
                elif (status in _POISON or 200 <= status < 300) and await self._settle(queue, batch, status):
                    backoff, size = FIRST_BACKOFF, BATCH
                else:
                    await asyncio.sleep(backoff * random.uniform(0.8, 1.2))
                    backoff = min(MAX_BACKOFF, backoff * 2)

    async def _settle(self, queue: UsageQueue, batch: list[tuple[int, bytes]], status: int) -> bool:
        """The batch is done with: delivered, or refused for good. False: the disk is full, so it comes again."""
        try:
            await asyncio.to_thread(queue.acknowledge, [id_ for id_, _ in batch])
        except sqlite3.Error as error:
            log.warning("usage route: %d events cannot be taken off the queue: %s", len(batch), error)
            return False
        if status in _POISON:
            self._count_dropped(len(batch), f"refused_{status}")
        else:
            self._store.own_metrics.usage_delivered.inc(len(batch))
        return True

    def _count_dropped(self, amount: int, reason: str) -> None:
        log.warning("usage route: %d events dropped (%s)", amount, reason)
        self._store.own_metrics.dropped.labels("usage", reason).inc(amount)


async def _send(client: httpx.AsyncClient, endpoint: str, bodies: list[bytes]) -> int:
    """The HTTP status, 0 without an answer."""
    try:
        response = await client.post(
            endpoint, content=request(bodies), headers={"content-type": "application/x-protobuf"}
        )
    except httpx.HTTPError as error:
        log.debug("usage route: %s: %r", endpoint, error)
        return 0
    return response.status_code


def request(bodies: Sequence[bytes]) -> bytes:
    """An ExportLogsServiceRequest as Alloy's otelcol.receiver.loki makes it: the line is the body, labels and
    structured metadata are attributes."""
    message = ExportLogsServiceRequest()
    records = message.resource_logs.add().scope_logs.add().log_records
    now = time.time_ns()
    for body in bodies:
        packed = orjson.loads(body)
        records.append(
            LogRecord(
                time_unix_nano=packed["t_ns"],
                observed_time_unix_nano=now,
                body=AnyValue(string_value=packed["line"]),
                attributes=[_attribute(*pair) for pair in packed["attributes"].items()],
            )
        )
    return message.SerializeToString()


def _pack(entry: LogEntry) -> bytes:
    attributes: dict[str, Any] = {**entry.labels, **entry.structured_metadata}
    return orjson.dumps({"t_ns": entry.t_ns, "line": entry.line, "attributes": attributes})


def _attribute(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))
