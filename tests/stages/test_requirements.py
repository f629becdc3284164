"""The containers run what the one environment runs: every requirements.txt pins what requirements.lock has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
FILES = sorted([*ROOT.glob("stage*/*/requirements.txt"), ROOT / "traffic-gen/requirements.txt"])


def pins(path: Path) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := PIN.match(line):
            versions.setdefault(match[1], set()).add(match[2])
    return versions


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pinned_and_equal_to_the_lock(path: Path) -> None:
    lock = pins(ROOT / "requirements.lock")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        match = PIN.fullmatch(line)
        assert match, f"{line!r} is not pinned with =="
        assert match[2] in lock[match[1]], f"{line} but requirements.lock has {lock[match[1]]}"


def run_time(source: Path) -> str:
    """The text without what is imported for the type checker alone."""
    return re.sub(r"^if TYPE_CHECKING:\n(?:    .*\n)+", "", source.read_text(encoding="utf-8"), flags=re.M)


def unused(folder: Path, sources: list[Path]) -> set[Path]:
    """Files of telemetry/ that nothing in the service imports: the folder is the same everywhere."""
    text = "\n".join(run_time(source) for source in sources)
    named = set(re.findall(r"^from telemetry\.(\w+) import", text, re.M))
    for names in re.findall(r"^from telemetry import (.+)$", text, re.M):
        named |= set(names.split(", "))
    return {file for file in (folder / "telemetry").glob("[a-z]*.py") if file.stem not in named}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_imported_is_required(path: Path) -> None:
    """The distributions of all imports that are neither the standard library nor the service's own modules."""
    from importlib.metadata import packages_distributions
    from sys import stdlib_module_names

    folder = path.parent
    sources = [source for source in folder.rglob("*.py") if "tests" not in source.parts]
    own = {source.stem for source in sources} | {source.parent.name for source in sources}
    needed = [source for source in sources if source not in unused(folder, sources)]
    pattern = re.compile(r"^\s*(?:from|import)\s+([A-Za-z0-9_]+)", re.M)
    imported = (
        {name for source in needed for name in pattern.findall(run_time(source))} - own - stdlib_module_names
    )
    known = packages_distributions()
    namespaces = {"opentelemetry"}  # shared by many distributions: covered by running the suites
    for name in imported - namespaces:
        assert {d.lower().replace("_", "-") for d in known[name]} & set(pins(path)), (
            f"{name} is imported, not required"
        )


def test_the_frontend_runs_without_fastapi() -> None:
    """Its image has none, though its telemetry/ has files that need it."""
    absent = ["fastapi", "prometheus_fastapi_instrumentator", "opentelemetry.instrumentation.fastapi"]
    code = f"import sys; sys.modules |= dict.fromkeys({absent}); import main, page; print('imported')"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "stage3/frontend", capture_output=True, text=True
    )
    assert (run.returncode, run.stdout.splitlines()[-1:]) == (0, ["imported"]), run.stderr
