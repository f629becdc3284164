"""The outage script's way to stop and start a service."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "stage5" / "traffic-gen"


@pytest.fixture
def runtime() -> ModuleType:
    spec = importlib.util.spec_from_file_location("outage_runtime", SCRIPTS / "runtime.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_service_that_cannot_be_stopped_is_said_in_the_runtimes_words(runtime: ModuleType) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such service: ' + ' '.join(sys.argv[1:]))"]
    with pytest.raises(runtime.NotDoneError, match="no such service: stop postgres"):
        runtime.Runtime("fake", command).stop("postgres")


def test_a_runtime_that_is_not_there(runtime: ModuleType) -> None:
    with pytest.raises(runtime.NotDoneError, match="no-such-program"):
        runtime.Runtime("fake", ["no-such-program"]).start("postgres")
