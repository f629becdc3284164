"""The Makefile's targets end as their command did, but for Ctrl-C, which is no error."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def make(target: str, code: int) -> subprocess.CompletedProcess[str]:
    """The target with a command in the place of `workshop` that ends with this code; nothing is installed."""
    command = ["make", "--old-file=.venv/.installed", target, "STAGE=1", f"WORKSHOP=sh -c 'exit {code}'"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["run", "traffic", "check", "logs"])
def test_ctrl_c_is_no_error_and_an_error_stays_one(target: str) -> None:
    assert (make(target, 0).returncode, make(target, 130).returncode) == (0, 0)
    assert make(target, 130).stderr == ""
    failed = make(target, 3)
    assert failed.returncode != 0
    assert failed.stderr.strip().endswith("Error 3")
