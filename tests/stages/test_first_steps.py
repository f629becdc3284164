"""stage1/first-steps: each file runs alone, is the one before plus one idea, and answers the query on its page."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stages.lessons import FENCE, Block
from tests.stages.live_lessons import found

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "stage1" / "first-steps"
PAGE = FOLDER / "README.md"
STEPS = sorted(FOLDER.glob("step*.py"))
PAIRS = list(pairwise(STEPS))
LINES = range(15, 41)
MOST_ADDED, MOST_REMOVED = 14, 3  # beside the docstring
SECONDS = 40


def section(step: Path) -> str:
    """The page's text under the step's heading."""
    text = PAGE.read_text(encoding="utf-8")
    match = re.search(rf"^## Step {step.stem[4]}: .*?(?=^## )", text, re.M | re.S)
    assert match, step
    return match[0]


def queries(step: Path) -> list[Block]:
    return [Block(PAGE, match[2], match[3].strip()) for match in FENCE.finditer(section(step))]


def await_true(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if condition():
                return
        time.sleep(0.3)
    pytest.fail(f"not within {SECONDS} s: {what}")


@contextlib.contextmanager
def running(step: Path, port: int, log: Path, environment: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "uvicorn", f"{step.stem}:app", "--port", str(port), "--no-access-log"]
    with log.open("ab") as output:
        child = subprocess.Popen(
            command, cwd=FOLDER, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        await_true(lambda: httpx.get(f"http://127.0.0.1:{port}/roll", timeout=10).is_success, f"{step.stem} rolls")
        yield
    finally:
        child.terminate()
        child.wait(20)


def test_there_are_five_and_the_page_names_each() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(STEPS) == 5
    assert [step.name for step in STEPS] == re.findall(r"^\| \[(\w+\.py)\]", text, re.M)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.stem)
def test_a_step_is_short(step: Path) -> None:
    assert len(step.read_text(encoding="utf-8").splitlines()) in LINES


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=lambda step: step.stem)
def test_a_step_is_the_one_before_and_one_idea(before: Path, after: Path) -> None:
    old, new = (path.read_text().splitlines()[1:] for path in (before, after))
    diff = list(difflib.unified_diff(old, new, lineterm="", n=0))[2:]
    assert 0 < sum(line.startswith("+") for line in diff) <= MOST_ADDED
    assert sum(line.startswith("-") for line in diff) <= MOST_REMOVED


@pytest.mark.parametrize("step", STEPS[1:], ids=lambda step: step.stem)
def test_a_step_has_one_query_to_paste(step: Path) -> None:
    assert len(queries(step)) == 1


def test_step_0_runs_alone(tmp_path: Path, next_offset: Callable[[], int]) -> None:
    with running(STEPS[0], 8001 + next_offset(), tmp_path / "log", {}):
        pass


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, next_offset: Callable[[], int]) -> Iterator[tuple[int, Path]]:
    """Port offset and data folder of a stage 1 whose roller is stopped, as the page says."""
    offset, data = next_offset(), tmp_path_factory.mktemp("first-steps")
    where = ("--port-offset", str(offset), "--data-dir", str(data))

    def workshop(*arguments: str) -> None:
        command = [sys.executable, "-m", "workshop", *arguments, *where]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    workshop("up", "1", "--detach")
    try:
        workshop("stop", "dice-roller")
        yield offset, data
        workshop("start", "dice-roller")
    finally:
        workshop("down", "--volumes")


@pytest.mark.e2e
@pytest.mark.parametrize("step", STEPS[1:], ids=lambda step: step.stem)
def test_the_query_of_a_step_has_an_answer(step: Path, stack: tuple[int, Path]) -> None:
    offset, data = stack
    environment = {
        "OTEL_SERVICE_NAME": "dice-roller",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{4318 + offset}",
        "PYROSCOPE_SERVER_ADDRESS": f"http://127.0.0.1:{4040 + offset}",
    }

    def get(port: int, path: str, **parameters: Any) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port + offset}{path}", params=parameters, timeout=10)

    def answered() -> bool:
        get(8001, "/roll")
        return all(found(query, get) for query in queries(step))

    with running(step, 8001 + offset, data / "logs" / "dice-roller.log", environment):
        await_true(answered, f"{step.stem}'s query finds something")
