"""Docker kills ten seconds after it has asked a service to stop: what services are started with leaves room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
KILLED_AFTER = 10  # seconds, Docker's and the runner's default
FLUSHED_AFTER = 3  # FLUSH_SECONDS of telemetry/export.py
FOLDERS = sorted(path.parent for path in ROOT.glob("stage?/*/Dockerfile"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_the_image_and_compose_start_the_same_and_it_stops_in_time(folder: Path) -> None:
    image: list[str] = json.loads((folder / "Dockerfile").read_text().rpartition("\nCMD ")[2])
    services = yaml.safe_load((folder.parent / "docker-compose.yml").read_text())["services"]
    assert services[folder.name]["command"].split() == image
    assert "stop_grace_period" not in services[folder.name]
    assert float(image[image.index("--timeout-graceful-shutdown") + 1]) + FLUSHED_AFTER < KILLED_AFTER


def test_the_flush_takes_no_longer() -> None:
    files = ROOT.glob("stage?/*/telemetry/export.py")
    lines = {line.partition("  #")[0] for path in files for line in path.read_text().splitlines()}
    assert [line for line in lines if line.startswith("FLUSH_SECONDS")] == [f"FLUSH_SECONDS = {FLUSHED_AFTER}"]
