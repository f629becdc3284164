"""The pages' modules: formatted, linted, type-checked and unit-tested by Deno, without a network or a build."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DENO = Path(sys.executable).parent / "deno"
MODULES = (ROOT / "stack" / "pocket" / "ui" / "static" / "js").rglob("*.js")
LINE = 110


@pytest.mark.parametrize("arguments", [("task", "--quiet", "lint"), ("test", "--quiet")], ids=["lint", "test"])
def test_deno_is_content(arguments: tuple[str, ...], tmp_path: Path) -> None:
    environment = os.environ | {"DENO_DIR": str(tmp_path), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    run = subprocess.run(
        [DENO, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_line_is_too_long() -> None:
    """The formatter leaves comments, texts and regular expressions as they are."""
    long = [
        f"{module.relative_to(ROOT)}:{number}"
        for module in MODULES
        for number, line in enumerate(module.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LINE
    ]
    assert not long
