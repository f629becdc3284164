"""CONTRIBUTING.md names every marker and every environment variable of the project's own."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
READ = re.compile(r"(?:environ(?:\.get\(|\[)|getenv\(|envvar=)\"([A-Z][A-Z_]+)\"")
# Of PostgreSQL, its exporter and OpenTelemetry, or a test's own child's.
FOREIGN = re.compile(r"PATH|PG_|POSTGRES_|DATA_SOURCE_|OTEL_|PYTEST_|FAIL$|PORT$")


def test_every_marker_is_named() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for marker in settings["tool"]["pytest"]["ini_options"]["markers"]:
        assert f"| `{marker.partition(':')[0]}` |" in TEXT


def test_every_environment_variable_is_named() -> None:
    sources = [
        path for folder in ("workshop", "tests", "bench", "stack/pocket") for path in (ROOT / folder).rglob("*.py")
    ]
    read = {name for path in sources for name in READ.findall(path.read_text(encoding="utf-8"))}
    makefile = set(re.findall(r"^([A-Z_]+) \?=", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    own = {name for name in read | makefile if not FOREIGN.match(name)}
    assert len(own) >= 6
    assert sorted(name for name in own if f"`{name}`" not in TEXT) == []


def test_the_three_test_commands_are_named() -> None:
    for command in ("make lint", "make test-fast", "make test"):
        assert f"| `{command}` |" in TEXT


def test_it_says_how_to_add_each_thing() -> None:
    for thing in ("metric", "panel", "query function", "lesson", "exercise", "lab"):
        assert re.search(rf"^\*\*An? {thing}", TEXT, re.M), thing
