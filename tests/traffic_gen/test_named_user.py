"""Stage 6's user: a session that breaks off while signing in is an outcome, and not the end of all traffic."""

from __future__ import annotations

import random
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from websockets.exceptions import ConnectionClosedError

from traffic_gen.settings import Settings

SCRIPT = Path(__file__).resolve().parents[2] / "stage6/traffic-gen/generate_traffic.py"


@pytest.fixture
def script() -> ModuleType:
    spec = spec_from_file_location("stage6_traffic", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module := module_from_spec(spec))
    return module


async def test_a_connection_that_breaks_while_signing_in_is_an_outcome(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise ConnectionClosedError(None, None)

    monkeypatch.setattr(script.NamedUser, "_open", broken)
    outcome = await script.NamedUser(Settings()).act(random.Random(1))
    assert (outcome.action, outcome.status, outcome.ok) == ("sign in", "ConnectionClosedError", False)
