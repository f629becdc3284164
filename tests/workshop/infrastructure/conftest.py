from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop.infrastructure import account
from workshop.infrastructure.cluster import end_orphan

from .embedded import Database


@pytest.fixture
def database() -> Iterator[Database]:
    # Not tmp_path: its parents are closed to others, and that case has a test of its own.
    folder = Path(tempfile.mkdtemp(prefix="dice-workshop-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield (made := Database(folder))
    end_orphan(made.data / "data")
    account.remove(made.data)
    shutil.rmtree(folder)
