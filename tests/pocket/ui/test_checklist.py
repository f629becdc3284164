"""The checklist endpoints: the stored result, and who may start a check."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx
import pytest

from pocket.config import Settings
from pocket.ui import app

OWN = {"x-workshop-ui": "1"}
RESULT = {"stage": 1, "items": [{"id": "up", "status": "pass"}]}


def _client(tmp_path: Path, stage: int | None = 1, base_url: str = "http://localhost:3000") -> httpx.AsyncClient:
    data_dir = tmp_path / "run" / "pocket"
    data_dir.mkdir(parents=True, exist_ok=True)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app(Settings(data_dir=data_dir, port_offset=7, stage=stage), {})),
        base_url=base_url,
    )


def _workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """A `workshop` module found first by the subprocess."""
    package = tmp_path / "fake" / "workshop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("import json, os, sys\n" + source)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


async def test_without_a_check_there_is_no_result(tmp_path: Path) -> None:
    assert (await _client(tmp_path).get("/api/workshop/checklist")).json() == {"stage": 1, "result": None}


async def test_the_result_lies_beside_pockets_own_folder(tmp_path: Path) -> None:
    client = _client(tmp_path)
    (tmp_path / "run" / "check.json").write_text(json.dumps(RESULT))
    assert (await client.get("/api/workshop/checklist")).json()["result"] == RESULT


async def test_a_half_written_result_is_no_result(tmp_path: Path) -> None:
    client = _client(tmp_path)
    (tmp_path / "run" / "check.json").write_text('{"stage"')
    assert (await client.get("/api/workshop/checklist")).json()["result"] is None


async def test_a_check_runs_the_command_for_this_stage_and_offset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _workshop(
        tmp_path, monkeypatch, 'print(json.dumps({"argv": sys.argv[1:], "offset": os.environ["PORT_OFFSET"]}))'
    )
    answer = await _client(tmp_path).post("/api/workshop/check", headers=OWN)
    assert answer.json() == {"stage": 1, "result": {"argv": ["check", "1", "--json"], "offset": "7"}}


async def test_a_failed_check_still_has_its_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workshop(tmp_path, monkeypatch, 'print(json.dumps({"ok": False})); sys.exit(1)')
    assert (await _client(tmp_path).post("/api/workshop/check", headers=OWN)).json()["result"] == {"ok": False}


async def test_a_command_that_breaks_is_reported_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _workshop(tmp_path, monkeypatch, 'sys.exit("nothing runs here")')
    answer = await _client(tmp_path).post("/api/workshop/check", headers=OWN)
    assert (answer.status_code, answer.json()) == (502, {"message": "the check failed: nothing runs here"})


@pytest.mark.parametrize(
    ("base_url", "headers"),
    [("http://localhost:3000", {}), ("http://evil.example:3000", OWN), ("http://evil.example:3000", {})],
)
async def test_only_our_own_page_may_start_a_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base_url: str, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/must/not/run")
    answer = await _client(tmp_path, base_url=base_url).post("/api/workshop/check", headers=headers)
    assert answer.status_code == 403


async def test_without_a_stage_there_is_nothing_to_check(tmp_path: Path) -> None:
    answer = await _client(tmp_path, stage=None).post("/api/workshop/check", headers=OWN)
    assert answer.status_code == 409
    assert "make run" in answer.json()["message"]
