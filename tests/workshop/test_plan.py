"""What a stage's compose file becomes: the pocket stack's arguments follow it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop.paths import RunPaths
from workshop.plan import make_plan

from .conftest import Project

USAGE = "\n  usage-service:\n    build: one\n    command: x\n    ports: ['7003:7003']\n"


@pytest.mark.parametrize("alloy", [False, True])
def test_usage_events_go_to_the_port_of_the_compose_file(project: Project, tmp_path: Path, alloy: bool) -> None:
    stage = project.root / "stage1"
    compose = stage / "docker-compose.yml"
    compose.write_text(compose.read_text() + USAGE)
    if alloy:
        (stage / "alloy").mkdir()
        (stage / "alloy" / "config.alloy").touch()
    pocket = make_plan(project.root, 1, 100, RunPaths(tmp_path)).specs[0].argv
    assert "usage-service:7103" in pocket
    assert ("--usage-endpoint" in pocket) == alloy
    if alloy:
        assert pocket[pocket.index("--usage-endpoint") + 1] == "http://127.0.0.1:7103/v1/logs"
