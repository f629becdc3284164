"""What the tests of the full stack share: its files, and the real programs where this machine has them."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STACK = ROOT / "stack"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def stack() -> Path:
    return STACK


@pytest.fixture
def compose() -> dict[str, Any]:
    """`stack/docker-compose.yml`, YAML anchors and merges resolved, nothing interpolated."""
    parsed: dict[str, Any] = yaml.safe_load((STACK / "docker-compose.yml").read_text())
    return parsed


@pytest.fixture
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.fixture
def tool() -> Callable[[str], Run]:
    """tool("promtool") runs the real program from REAL_TOOLS_DIR or PATH; skips the test where there is none."""

    def find(name: str) -> Run:
        path = shutil.which(name, path=os.getenv("REAL_TOOLS_DIR", "")) or shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is neither in REAL_TOOLS_DIR nor on PATH")

        def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
            command = [path, *map(str, arguments)]
            return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)

        return run

    return find


@pytest.fixture
def docker_compose(tool: Callable[[str], Run]) -> Run:
    """Runs `docker compose …`; skips the test without the plugin (resolving needs no engine)."""
    docker = tool("docker")
    if docker("compose", "version").returncode:
        pytest.skip("docker has no compose plugin")

    def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        return docker("compose", *arguments, **options)

    return run
