import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pocket.admission.bounds import Bounds
from pocket.config import Settings
from pocket.store import Store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, max_body_bytes=1 << 20)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = Store(settings)
    yield store
    store.close()


@pytest.fixture
def now() -> int:
    return time.time_ns()


@pytest.fixture
def bounds(settings: Settings) -> Bounds:
    return Bounds.now(settings)
