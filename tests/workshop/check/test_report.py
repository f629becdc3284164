"""The check's table: a long group that is all ✓ is one line, in words that fit it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from workshop.check import dashboards, report, services
from workshop.check.outcome import PASS, Answer, Result


@pytest.mark.parametrize(
    ("group", "line"), [(services.GROUP, "all 9"), (dashboards.GROUP, "all 9, every panel has data")]
)
def test_only_dashboards_have_panels(group: str, line: str) -> None:
    answers = [Answer(f"{group}:{n}", group, f"question {n}", PASS, "yes", "", 0.1) for n in range(9)]
    console = Console(file=io.StringIO(), width=100)
    report.show(console, Result(6, "pocket", "2026-01-01T00:00:00+00:00", answers))
    shown = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert next(row for row in shown if group in row).split(group)[1].rsplit(maxsplit=2)[0].strip() == line
