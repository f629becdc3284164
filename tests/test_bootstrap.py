"""bootstrap.sh on machines that lack something: one clear line that says what to install, nothing left behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with bootstrap.sh, and bin/ as the whole PATH: a few programs and what a test adds."""
    shutil.copy(ROOT / "bootstrap.sh", tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("bash", "env", "mkdir", "mktemp", "rm"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    program(tmp_path, "id", "echo 1000")
    return tmp_path


def program(machine: Path, name: str, script: str) -> None:
    path = machine / "bin" / name
    path.write_text(f"#!/usr/bin/env bash\n{script}\n")
    path.chmod(0o755)


def bootstrap(machine: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": str(machine / "bin"), "UV_VERSION": "0.0.0", **environment}
    return subprocess.run(
        ["bash", "./bootstrap.sh"], cwd=machine, env=given, capture_output=True, text=True, timeout=60
    )


def only_line(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    return line


def test_no_python(machine: Path) -> None:
    line = only_line(bootstrap(machine))
    assert line.startswith("workshop: Python 3.11 or newer is needed, found none.")


def test_a_python_that_is_too_old(machine: Path) -> None:
    program(machine, "python3", 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    line = only_line(bootstrap(machine))
    assert line.startswith(
        "workshop: Python 3.11 or newer is needed, found Python 3.9.2. Install it, or set PYTHON="
    )


@pytest.fixture
def bare_python(machine: Path) -> dict[str, str]:
    """The environment of a Python without ensurepip and pip, as Debian's python3 comes."""
    (machine / "broken").mkdir()
    for module in ("ensurepip", "pip"):
        (machine / "broken" / f"{module}.py").write_text("raise ImportError")
    return {"PYTHON": sys.executable, "PYTHONPATH": str(machine / "broken")}


def test_debians_pip_wheel_without_root(machine: Path, bare_python: dict[str, str]) -> None:
    program(machine, "apt-get", "echo > python3-pip-whl_1_all.deb")
    wheel = "usr/share/python-wheels/pip-1-py3-none-any.whl/pip"
    pip = "import sys; print(*sys.argv[1:])"
    program(machine, "dpkg-deb", f"mkdir -p {wheel}; echo '{pip}' > {wheel}/__main__.py")
    run = bootstrap(machine, **bare_python)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "--python .venv/bin/python install -q uv==0.0.0\n"


def test_neither_venv_nor_pip_nor_uv(machine: Path, bare_python: dict[str, str]) -> None:
    run = bootstrap(machine, **bare_python)
    assert "sudo apt-get install python3-venv" in only_line(run)
    assert not (machine / ".venv").exists()


def test_a_finished_environment_is_left_alone(machine: Path) -> None:
    folder = machine / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("python", "uv"):
        (folder / name).symlink_to(sys.executable)
    before = (folder / "uv").lstat().st_mtime_ns
    run = bootstrap(machine)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert (folder / "uv").lstat().st_mtime_ns == before
