"""`telemetry/`: the same in every service, short files that stand alone, and an import configures nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stages.lessons import ROOT

PACKAGE = ROOT / "stage1/dice-roller/telemetry"
FILES = sorted(PACKAGE.glob("*.py"))
MAINS = sorted(ROOT.glob("stage[0-9]/*/main.py"))
LINES = 80  # a screen and a half
# What a file takes from the files beside it. Who reads one file reads these too, and no others.
SIBLINGS = {
    "__init__": set(),
    "export": set(),
    "exposition": {"service"},
    "logs": {"service"},
    "profiling": {"export", "service"},
    "red": {"tracing"},
    "service": set(),
    "tracing": {"export", "service"},
}
# Each of the files alone, with whatever it might have done laid open.
IMPORTED = """
import logging, os, sys, threading
before = dict(os.environ)
import telemetry.{name}
from opentelemetry import trace
assert dict(os.environ) == before, "the environment"
assert not logging.root.handlers, "logging"
assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider", "tracing"
assert threading.active_count() == 1, "threads"
found = [word for word in ("pyroscope", "opentelemetry.exporter", "fastapi.telemetry") if word in sys.modules]
assert found == ({found}), found
"""
WITHOUT = """
import sys
import fastapi
sys.modules["fastapi.telemetry"] = sys.modules["pyroscope"] = None  # an older FastAPI; no profiler installed
from telemetry import exposition, logs, profiling, red, tracing
from telemetry.service import Service
service = Service.from_environment("dice-roller")
logs.configure(service)
provider = tracing.configure(service)
app = fastapi.FastAPI()
tracing.instrument(app)
red.instrument(app)
with tracing.exporting(provider), profiling.running(profiling.configure(service)):
    print(service.name, service.version, len(service.instance))
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    names = ("OTEL_", "PYROSCOPE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    run = [sys.executable, "-c", code]
    return subprocess.run(run, cwd=PACKAGE.parent, env=environment, capture_output=True, text=True, timeout=120)


def parsed(file: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def siblings(file: Path) -> set[str]:
    modules = [node.module or "" for node in parsed(file) if isinstance(node, ast.ImportFrom)]
    return {module.partition(".")[2] for module in modules if module.startswith("telemetry.")}


def private(file: Path) -> list[str]:
    """Attributes with an underscore, of anything but `self`; those with two at both ends are Python's own."""
    attributes = [node for node in parsed(file) if isinstance(node, ast.Attribute)]
    named = [node for node in attributes if node.attr.startswith("_") and not node.attr.endswith("__")]
    return [ast.unparse(node) for node in named if ast.unparse(node.value) != "self"]


def test_every_service_of_every_stage_has_the_same() -> None:
    expected = {file.name: file.read_bytes() for file in FILES}
    services = [path.parent for path in sorted(ROOT.glob("stage[0-9]/*/Dockerfile"))]
    assert len(services) == 16
    for service in services:
        assert {file.name: file.read_bytes() for file in (service / "telemetry").glob("*.py")} == expected, service
        assert "\nCOPY telemetry telemetry\n" in (service / "Dockerfile").read_text()
        assert "!telemetry/*.py" in (service / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_fits_a_screen_and_a_half_and_stands_alone(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LINES
    assert siblings(file) == SIBLINGS[file.stem]
    assert private(file) == []


def test_the_services_touch_nothing_private_of_a_library() -> None:
    files = [path for main in MAINS for path in main.parent.glob("*.py")]
    assert {str(path): found for path in files if (found := private(path))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_import_configures_nothing(file: Path) -> None:
    found = ["fastapi.telemetry"] if file.stem == "red" else []  # FastAPI itself imports it
    run = python(IMPORTED.format(name=file.stem, found=found))
    assert run.returncode == 0, run.stderr


def test_a_fastapi_without_telemetry_of_its_own_will_do_and_no_profiler_is_needed() -> None:
    run = python(WITHOUT)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[-1] == "dice-roller unknown 36"


@pytest.mark.parametrize("main", MAINS, ids=lambda main: f"{main.parts[-3]}/{main.parts[-2]}")
def test_main_makes_the_calls_in_order(main: Path) -> None:
    found = sorted((node for node in parsed(main) if isinstance(node, ast.Call)), key=lambda node: node.lineno)
    calls = [ast.unparse(node.func) for node in found]
    configured = [call for call in calls if call.endswith((".from_environment", ".configure"))]
    assert configured[0] == "Service.from_environment"
    assert configured[1:5] == [f"{file}.configure" for file in ("logs", "tracing", "profiling", "exposition")]
    instrumented = [number for number, call in enumerate(calls) if ".instrument" in call]
    assert instrumented
    assert min(instrumented) > calls.index("tracing.configure")
