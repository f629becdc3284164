"""The store's disk: its bound under heavy intake, a kill -9, and no space left."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.attacks import traffic
from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout, Pocket
from tests.attacks.repeats import taken

BOUND_MB, MB_A_SECOND, SEND_MB, GIVE_UP = 100, 15, 600, 180
KILLS, ROWS = 3, 50
FACTOR = 2.0  # of the bound, that the disk may take at its peak


@attack("15 MB of log lines a second into a store bounded at 100 MB")
def heavy(checkout: Checkout) -> Outcome:
    with checkout.pocket("--retention-bytes", str(BOUND_MB << 20)) as pocket:
        ended, peak = threading.Event(), [0]

        def watch() -> None:
            while not ended.wait(0.1):
                peak[0] = max(peak[0], pocket.disk_mb())

        watching = threading.Thread(target=watch)
        watching.start()
        sent_mb, seconds = _pour(pocket)
        ended.set()
        watching.join()
        figures = {
            "sent MB": sent_mb,
            "MB a second": round(sent_mb / seconds, 1),
            "bound MB": BOUND_MB,
            "peak disk MB": peak[0],
            "peak memory MB": pocket.memory.peak_mb,
        }
        enough = sent_mb >= 3 * BOUND_MB  # a machine that is too busy to send them proves nothing
        return Outcome(enough and peak[0] <= BOUND_MB * FACTOR, figures)


def _pour(pocket: Pocket) -> tuple[int, float]:
    """Megabytes sent, and seconds; text that does not compress below half."""
    began, sent = time.monotonic(), 0
    with httpx.Client(trust_env=False, timeout=60) as client:
        while sent < SEND_MB << 20 and (passed := time.monotonic() - began) < GIVE_UP:
            time.sleep(max(0.0, sent / (MB_A_SECOND << 20) - passed))
            lines = [secrets.token_hex(500) for _ in range(1500)]
            taken(client, pocket.url(3100, traffic.PUSH), traffic.push([({"service_name": "flood"}, lines)]))
            sent += 1500 * 1000
    return sent >> 20, time.monotonic() - began


@attack("kill -9 right after the acknowledgment")
def killed(checkout: Checkout) -> Outcome:
    """Spans by OTLP and lines by Loki's push, each time into the store that the last kill left."""
    traces = [secrets.token_bytes(16) for _ in range(KILLS)]
    with tempfile.TemporaryDirectory(prefix="attack-") as folder, httpx.Client(timeout=60) as client:
        for trace in traces:
            with checkout.pocket(data=Path(folder)) as pocket:
                _send(client, pocket, trace)
                pocket.child.kill()
                pocket.child.wait()
        with checkout.pocket(data=Path(folder)) as pocket:
            lines = traffic.lines_stored(client, pocket, '{service_name="s"}')
            client.headers["accept"] = "application/json"
            found = [client.get(pocket.url(3200, f"/api/v2/traces/{trace.hex()}")).text for trace in traces]
            spans = sum(text.count('"spanId"') for text in found)
    sent = KILLS * ROWS
    figures = {"kills": KILLS, "acknowledged": 2 * sent, "spans lost": sent - spans, "lines lost": sent - lines}
    return Outcome(spans == lines == sent, figures)


def _send(client: httpx.Client, pocket: Pocket, trace_id: bytes) -> None:
    pushed = traffic.push([({"service_name": "s"}, [f"{trace_id.hex()} {n}" for n in range(ROWS)])])
    client.post(pocket.url(3100, traffic.PUSH), json=pushed).raise_for_status()
    headers = {"content-type": "application/x-protobuf"}
    client.post(pocket.url(4318, "/v1/traces"), content=_spans(trace_id), headers=headers).raise_for_status()


def _spans(trace_id: bytes) -> bytes:
    request, now = ExportTraceServiceRequest(), time.time_ns()
    scope = request.resource_spans.add().scope_spans.add()
    for _ in range(ROWS):
        span_id = secrets.token_bytes(8)
        scope.spans.add(trace_id=trace_id, span_id=span_id, start_time_unix_nano=now, end_time_unix_nano=now)
    return request.SerializeToString()


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of this size. Raises PermissionError where none can be mounted."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
            raise PermissionError("mounting a small disk needs root")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


@attack("the disk is full when DuckDB makes its checkpoint")
def full(checkout: Checkout) -> Outcome:
    try:
        with small_disk(34) as disk:
            return _full(checkout, disk)
    except PermissionError as error:
        return Outcome(held=True, figures={"skipped": str(error)})


def _full(checkout: Checkout, disk: Path) -> Outcome:
    ballast, sent = disk / "ballast", 0
    ballast.write_bytes(bytes(12 << 20))
    with checkout.pocket(data=disk) as pocket, httpx.Client(trust_env=False, timeout=60) as client:
        while ballast.exists():
            lines = [f"{sent} {n} {random.randbytes(500).hex()}" for n in range(500)]
            document = traffic.push([({"service_name": "s"}, lines)])
            with contextlib.suppress(httpx.HTTPStatusError):
                client.post(pocket.url(3100, traffic.PUSH), json=document).raise_for_status()
            sent += 500
            time.sleep(0.6)  # longer than a commit waits: one commit a push
            if shutil.disk_usage(disk).free < 64 << 10:
                ballast.unlink()
        time.sleep(1)
        taken(client, pocket.url(3100, traffic.PUSH), document)  # what the sender was not sure of comes again
        time.sleep(2)
        stored = traffic.lines_stored(client, pocket, '{service_name="s"}')
    figures = {"lines": sent, "doubled": max(0, stored - sent), "lost": max(0, sent - stored)}
    return Outcome(stored == sent, figures)
