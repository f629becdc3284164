"""What a full disk does to a run's log lines, in sentences: for `status`, `logs` and `down`."""

from __future__ import annotations

import shutil

from workshop.paths import RunPaths
from workshop.run.state import RunState, ServiceState

LOW_BYTES = 16 << 20  # left on the disk: PostgreSQL's next WAL segment takes as much


def notices(run: RunState, paths: RunPaths) -> list[str]:
    """One sentence for each service with lines that wait or are lost, after one about the disk."""
    return [*_disk(paths), *(line for service in run["services"] for line in _service(service))]


def _disk(paths: RunPaths) -> list[str]:
    try:
        free = shutil.disk_usage(paths.data_dir).free
    except OSError:
        return []
    if free >= LOW_BYTES:
        return []
    left = f"The disk of {paths.data_dir} is full" if free < 1 << 20 else f"{free >> 20} MB are left on the disk"
    return [f"{left}: make room, or telemetry, log lines and usage events will be lost."]


def _service(service: ServiceState) -> list[str]:
    name, fault = service["name"], service.get("log_fault", "")  # absent in what an earlier version wrote
    waiting, lost = service.get("lines_waiting", 0), service.get("lines_lost", 0)
    found = []
    if waiting:
        found.append(f"{name}: {_lines(waiting)} in memory, not in the log ({fault}); written once that is over.")
    if lost:
        found.append(f"{name}: {_lines(lost)} lost, as the log could not be written for too long.")
    return found


def _lines(number: int) -> str:
    return f"{number} log line{'' if number == 1 else 's'}"


def unwritten(run: RunState) -> int:
    """Log lines that no file has."""
    return sum(service.get("lines_waiting", 0) + service.get("lines_lost", 0) for service in run["services"])
