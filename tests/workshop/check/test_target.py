"""What a check says at once when it cannot ask, and how little it waits for what is stopped."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from workshop.check import outage, target
from workshop.check.apis import Apis
from workshop.errors import WorkshopError
from workshop.paths import RunPaths

from ..conftest import Project


def run(**services: str) -> Any:
    """The state of a run: each service depends on the one before it."""
    names = list(services)
    listed = [
        {"name": name, "state": state, "depends_on": names[i - 1 : i]}
        for i, (name, state) in enumerate(services.items())
    ]
    return {"stage": 1, "offset": 0, "state": "up", "services": listed}


def test_a_stopped_service_explains_itself_and_those_that_depend_on_it() -> None:
    found = outage.explained(run(pocket="healthy", postgres="stopped", die="unhealthy", roller="healthy"))
    assert found == {"postgres": "postgres", "die": "postgres", "roller": "postgres"}
    assert outage.culprit(("pocket", "roller"), found) == "postgres"
    assert outage.culprit(("pocket",), found) == ""


def test_nothing_is_explained_while_all_run_or_nobody_knows() -> None:
    assert outage.explained(run(one="healthy", two="restarting", three="unhealthy")) == {}
    assert outage.explained(None) == {}


def answering(answers: dict[str, httpx.Response], stage: int = 1) -> Apis:
    def handle(request: httpx.Request) -> httpx.Response:
        if found := answers.get(f"{request.url.port}{request.url.path}"):
            return found
        raise httpx.ConnectError("refused")

    return Apis(httpx.AsyncClient(transport=httpx.MockTransport(handle)), 0, stage=stage)


GRAFANA = {"3000/api/health": httpx.Response(200, text='{"version": "13.2"}')}


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunPaths:
    monkeypatch.setenv("WORKSHOP_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    return RunPaths(tmp_path / ".workshop" / "offset-0")


async def test_with_docker_the_roller_says_which_stage_runs(paths: RunPaths) -> None:
    roller = {"8001/": httpx.Response(200, json={"stage": "stage4"})}
    with pytest.raises(WorkshopError, match=r"^stage 4 runs, not stage 2: workshop check 4$"):
        await target.require(answering(GRAFANA | roller, stage=2), paths, None)
    assert await target.require(answering(GRAFANA | roller, stage=4), paths, None) == "grafana"


@pytest.mark.parametrize("says", [httpx.Response(200, text="no JSON"), httpx.Response(200, json=[1]), None])
async def test_a_roller_that_is_away_or_says_nothing_is_the_checks_business(
    paths: RunPaths, says: httpx.Response | None
) -> None:
    roller = {"8001/": says} if says else {}
    assert await target.require(answering(GRAFANA | roller), paths, None) == "grafana"


def refusal(project: Project, *command: str) -> str:
    asked = project.run(*command)
    assert asked.returncode == 2, asked.stdout
    assert asked.stdout == ""
    assert asked.stderr.count("\n") == 1
    return asked.stderr


def test_another_offset_another_stage_a_stopped_stack(project: Project, next_offset: Callable[[], int]) -> None:
    shutil.copytree(project.root / "stage1", project.root / "stage2")
    project.run("up", "1", "--detach")
    mine = f"--port-offset {project.offset}"
    assert f"stage 1 runs, not stage 2: workshop check 1 {mine}" in refusal(project, "check", "2")
    elsewhere = refusal(project, "check", "1", "--port-offset", str(next_offset()))
    assert f"But stage 1 does elsewhere: workshop check 1 {mine}" in elsewhere
    project.run("stop", "pocket")
    stopped = refusal(project, "check", "1")
    assert f"the pocket stack is stopped, so there is nobody to ask: workshop start pocket {mine}" in stopped
