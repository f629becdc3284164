"""For all tests: the tools that prepare.py fetched are on the path; the caller's shell steers none."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workshop.infrastructure import programs

TESTS = Path(__file__).resolve().parent
TOOLS = TESTS.parent / ".tools" / "bin"
STEERING = ("PORT_OFFSET", "WORKSHOP_ROOT", "WORKSHOP_DATA_DIR", "STAGE", "DETACH")

os.environ["PATH"] = os.pathsep.join((os.environ["PATH"], str(TOOLS)))
for name in STEERING:  # make exports PORT_OFFSET to all it runs
    os.environ.pop(name, None)

# Every port a stage can use, before the offset.
PORTS = (3000, 3100, 3200, 4040, 4317, 4318, 8001, 8002, 8003, 8501, 9090, 9187, 12345, 15432)
# Below 32768, where Linux begins to lend ports to outgoing connections; beyond the offsets people use by hand.
OFFSETS = range(4000, 17000, 20)
GAP = 20  # offsets
UNSAFE = {10080 - 3000}  # browsers refuse to open port 10080, and so does `up` (workshop.run.ports)


def bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_offsets() -> Iterator[int]:
    """Port offsets that `up` takes; begins elsewhere for each test run, as several may be under way.

    Workers have ranges of their own, with a gap between: offsets that differ by 100 or 200 meet.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = len(OFFSETS) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    own = OFFSETS[number * share : (number + 1) * share - GAP]
    start = os.getpid() % len(own)
    for offset in (*own[start:], *own[:start]):
        if offset not in UNSAFE and all(bindable(port + offset) for port in PORTS):
            yield offset


@pytest.fixture(scope="session")
def next_offset() -> Callable[[], int]:
    """Gives a free port offset, each time another one."""
    offsets = free_offsets()
    return lambda: next(offsets)


# What takes long begins first, so that no worker has it left when the others are done.
FIRST = ("e2e", "browser", "faults", "stages")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(folder) if (folder := _folder(item)) in FIRST else len(FIRST))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """As root below a closed folder, databases of tests had PostgreSQL's programs copied to /var/tmp."""
    if not hasattr(session.config, "workerinput"):  # other workers may still use them
        programs.remove()
