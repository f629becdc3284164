"""What a stage's scripts ask, they find in the container that `--profile traffic` runs them in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workshop.compose.reader import read

ROOT = Path(__file__).parents[2]
STAGES = sorted(file.parent for file in ROOT.glob("stage[0-9]/docker-compose.yml"))
ASKED = re.compile(r'base_url\("(\w+)", (\d+)\)')
STACK = {"LOKI_URL": "http://loki:3100", "PROMETHEUS_URL": "http://prometheus:9090"}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_url_of_the_scripts_is_set(stage: Path) -> None:
    engine = (ROOT / "traffic-gen" / "traffic_gen" / "settings.py").read_text()
    scripts = [file.read_text() for file in (stage / "traffic-gen").glob("*.py")]
    asked = {name: int(port) for text in scripts for name, port in ASKED.findall(text)}
    there = {name: int(port) for name, port in ASKED.findall(engine)}
    assert there
    compose = read(stage / "docker-compose.yml", {})
    services = {port: name for name, service in compose.services.items() for port in service.ports}
    environment = compose.services["traffic"].environment
    wanted = asked | {name: port for name, port in there.items() if any(f"{name.lower()}()" in s for s in scripts)}
    for name, port in wanted.items():
        assert environment[name] == (STACK.get(name) or f"http://{services[port]}:{port}"), name
