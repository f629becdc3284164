"""Folders with any name and locales of any kind: it works, or one line says why not; never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from .conftest import Project

ROOT = Path(__file__).resolve().parents[2]
# C alone makes Python use UTF-8 (PEP 540); with that off it is ASCII, less than any real locale has.
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0"}


@pytest.fixture(params=[{"LC_ALL": "C"}, ASCII], ids=["C", "ASCII"])
def locale(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(request.param)


def test_a_checkout_in_a_folder_that_is_not_ascii(project: Project, locale: dict[str, str]) -> None:
    there = Project(project.root.rename(project.root.with_name("grün-☃")), project.offset)
    started = there.run("up", "1", "--detach", **locale)
    try:
        assert started.returncode == 0, started.stderr
        shown = there.run("status", **locale)
        assert "one" in shown.stdout
        assert "Traceback" not in shown.stderr
        with urllib.request.urlopen(f"http://127.0.0.1:{8001 + there.offset}/", timeout=5) as answer:
            assert "'PYTHONUTF8': '1'" in answer.read().decode()
        logs = there.run("logs", "supervisor", **locale)
        assert '"type": "ready"' in logs.stdout
    finally:
        assert there.run("down", **locale).stdout == "Stopped stage 1.\n"
        there.root.rename(project.root)


def test_what_the_terminal_has_no_letter_for(locale: dict[str, str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "WORKSHOP_ROOT"} | locale
    done = subprocess.run(
        [sys.executable, "-m", "workshop", "diff", "2"], cwd=ROOT, env=environment, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("Stage 1 → stage 2".encode(), b"Stage 1 -> stage 2"))


def test_a_folder_whose_name_is_no_text(project: Project) -> None:
    folder = os.fsdecode(os.fsencode(project.root) + b"/gr\xfcn")
    refused = project.run("up", "1", "--detach", "--data-dir", folder)
    assert refused.returncode == 1
    assert refused.stderr.startswith("workshop: the name of ")
    assert refused.stderr.endswith("is not UTF-8: no database can open it; rename it.\n")
    assert not Path(folder).exists()
