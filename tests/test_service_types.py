"""mypy --strict over each service's folder: they are no packages, and each has a `main` of its own.

A folder whose code is the same as in an earlier stage is checked once. One cache for all, so that FastAPI and the
like are read once.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


def folders() -> list[Path]:
    """Folders right below a stage that hold Python, the first of each content."""
    found: dict[str, Path] = {}
    for folder in sorted({file.parent for file in ROOT.glob("stage*/*/*.py")}):
        files = sorted([*folder.glob("*.py"), *folder.glob("telemetry/*.py")])
        content = b"".join(file.name.encode() + file.read_bytes() for file in files)
        found.setdefault(hashlib.sha256(content).hexdigest(), folder)
    return list(found.values())


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_types(folder: Path) -> None:
    modules = [word for file in sorted(folder.glob("*.py")) for word in ("-m", file.stem)]
    modules += ["-p", "telemetry"] if (folder / "telemetry").is_dir() else []
    command = [sys.executable, "-m", "mypy", "--config-file", "tests/services.mypy.ini", *modules]
    environment = {**os.environ, "MYPYPATH": str(folder)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, f"{folder}:\n{run.stdout}{run.stderr}"


def test_there_is_something_to_check() -> None:
    assert folders()
