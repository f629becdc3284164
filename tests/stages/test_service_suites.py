"""Runs the suite that lies beside each service, in a process of its own: every one has a `main` and a `telemetry`.

A service that a later stage leaves untouched is tested once, at the stage that brought it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def digest(service: Path) -> str:
    files = sorted(path for path in service.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return hashlib.sha256(
        b"".join(str(p.relative_to(service)).encode() + p.read_bytes() for p in files)
    ).hexdigest()


def suites() -> list[Path]:
    services = [tests.parent for tests in sorted(ROOT.glob("stage*/*/tests"))]
    first_with: dict[str, Path] = {}
    for service in services:
        first_with.setdefault(digest(service), service)
    return list(first_with.values())


@pytest.mark.parametrize("service", suites(), ids=lambda service: f"{service.parent.name}/{service.name}")
def test_suite(service: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    run = subprocess.run(command, cwd=service, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, f"{' '.join(command)} in {service}:\n{run.stdout[-8000:]}\n{run.stderr[-2000:]}"
    assert " passed" in run.stdout


def test_there_is_a_suite_for_every_service() -> None:
    services = {path.parent for path in ROOT.glob("stage*/*/requirements.txt")}
    assert services
    assert services == {path.parent for path in ROOT.glob("stage*/*/tests")}
