import time

import pytest


@pytest.fixture
def now() -> int:
    return time.time_ns()
