"""What the page learns of a full disk: lines that wait and lines that are lost, from the runner's own file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from pocket.config import Settings
from pocket.ui import app

SERVICES = [
    {"name": "well", "lines_waiting": 0, "lines_lost": 0, "log_fault": ""},
    {"name": "frontend", "lines_waiting": 153, "lines_lost": 2, "log_fault": "No space left on device"},
    {"name": "of an earlier version"},
]


async def asked(tmp_path: Path) -> dict[str, object]:
    data_dir = tmp_path / "run" / "pocket"
    data_dir.mkdir(parents=True, exist_ok=True)
    site = httpx.ASGITransport(app(Settings(data_dir=data_dir, stage=6), {}))
    async with httpx.AsyncClient(transport=site, base_url="http://localhost:3000") as client:
        answer = await client.get("/api/workshop/losses")
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


async def test_lines_that_wait_and_that_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps({"services": SERVICES}) + "   ")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    told = {"name": "frontend", "waiting": 153, "lost": 2, "fault": "No space left on device"}
    assert await asked(tmp_path) == {"free_bytes": 4096, "services": [told]}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
async def test_without_a_run_there_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    if content:
        (tmp_path / "run" / "run.json").write_text(content)
    assert (await asked(tmp_path))["services"] == []
