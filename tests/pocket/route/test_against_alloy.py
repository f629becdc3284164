"""The same lines to the `loki.process` components of the real Alloy, and to their twin."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pocket.admission.bounds import Bounds
from pocket.route.pipeline import is_usage, process
from pocket.rows import LogEntry
from tests.pocket.route.alloy import Pipeline, running

ROOT = Path(__file__).resolve().parents[3]
STACK, STAGE_6 = ROOT / "stack/alloy/config.alloy", ROOT / "stage6/alloy/config.alloy"
VALUES = (True, False, "true", "True", "", 1, 0, 1.0, None, [True], {"a": True})
LINES = [
    *(json.dumps({"usage": value}) for value in VALUES),
    '  {"usage": true}', '\t{"usage":"true"}', '{"usage": true, "usage": false}',
    '{"usage": false, "usage": true}',
    '{"Usage": true}', '{"a": {"usage": true}}', '{"usage": true', '[{"usage": true}]', '"usage"', "true",
    "usage=true",
    '{"usage": " true"}', '{"usage":true,"user":"Ada \\u00e9"}',
]  # fmt: skip
LAST = '{"usage": true, "n": "last"}'
FIELDS = {"timestamp": "2026-03-04T05:06:07.000008+00:00", "level": "info", "service": "dice-roller"}
SERVICE_LINES = [
    *(json.dumps(FIELDS | {"n": n, "trace_id": f"{n:032x}"}) for n in range(3)),  # three at the same time
    json.dumps({"timestamp": "2026-03-04T05:06:09.5+00:00", "level": "error", "service": "dice-roller"}),
    "Traceback (most recent call last):",
    json.dumps({"timestamp": "yesterday", "level": "warning"}),
]
BOUNDS = Bounds(0, 1 << 62)


@pytest.fixture
def alloy(tmp_path: Path) -> Iterator[Callable[[Path, str], Pipeline]]:
    with ExitStack() as stack:

        def run(config: Path, name: str) -> Pipeline:
            try:
                return stack.enter_context(running(config, name, tmp_path))
            except FileNotFoundError as error:
                pytest.skip(str(error))

        yield run


def test_both_choose_the_same_lines(alloy: Callable[[Path, str], Pipeline]) -> None:
    pipeline, now = alloy(STAGE_6, "usage"), time.time_ns()
    pipeline.push(*((now + n, line) for n, line in enumerate([*LINES, LAST])), a="b")
    taken = [entry.line for entry in pipeline.until(LAST)]
    ours = [line for line in [*LINES, LAST] if is_usage(process(LogEntry({}, 1, line), BOUNDS)[1])]
    assert taken == ours


@pytest.mark.parametrize("config", [STACK, STAGE_6], ids=["stack", "stage6"])
def test_a_line_read_again_is_the_same_entry_in_both(alloy: Callable[[Path, str], Pipeline], config: Path) -> None:
    """As after `docker compose stop` and `start`: Alloy reads the container's last second once more."""
    pipeline, now = alloy(config, "service_logs"), time.time_ns()
    lines = [(now + n, line) for n, line in enumerate(SERVICE_LINES)]
    given = {"container_name": "dice-workshop-dice-roller-1", "service_name": "dice-roller", "level": "unknown"}
    pipeline.push(*lines, **given)
    pipeline.push(*lines, **given)
    pipeline.push((now, LAST), **given)
    taken = [comparable(entry) for entry in pipeline.until(LAST) if entry.line != LAST]
    compose = {"container_name": given["container_name"], "compose_service": "dice-roller"}
    ours = [comparable(process(LogEntry(compose, when, line), BOUNDS)[0]) for when, line in lines]
    assert sorted(taken) == sorted(2 * ours)  # a push has its entries by stream


def comparable(entry: LogEntry) -> tuple[int, str, list[tuple[str, str]], list[tuple[str, str]]]:
    return entry.t_ns, entry.line, sorted(entry.labels.items()), sorted(entry.structured_metadata.items())
