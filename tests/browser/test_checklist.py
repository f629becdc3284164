"""The checklist. This file sorts first: a check asks about the last minutes, best those of the traffic."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import Visit


def test_the_checklist_runs_and_shows_each_answer(visit: Visit) -> None:
    page = visit.open("check")
    expect(page.locator(".state")).to_contain_text("Nothing has been checked yet")
    with page.expect_response(re.compile("workshop/check"), timeout=150000) as answer:
        page.get_by_role("button", name="Run the check").click()
    items = answer.value.json()["result"]["items"]
    expect(page.locator(".check")).to_have_count(len(items))
    expect(page.locator(".check.pass")).to_have_count(sum(item["status"] == "pass" for item in items))
    page.reload()
    expect(page.locator(".check")).to_have_count(len(items))


def test_what_is_missing_comes_first_with_its_hint(visit: Visit) -> None:
    items = [
        {"group": "Services", "title": "roller is healthy", "status": "pass", "detail": "200"},
        {
            "group": "Logs",
            "title": "logs carry ids",
            "status": "fail",
            "detail": "none",
            "hint": "Look at `telemetry/logs.py`",
        },
        {"group": "Logs", "title": "Grafana has it", "status": "skip", "detail": "not here"},
    ]
    result = {"items": items, "checked_at": "2026-01-01T00:00:00Z"}
    visit.page.route("**/api/workshop/checklist", lambda route: route.fulfill(json={"stage": 1, "result": result}))
    page = visit.open("check")
    expect(page.locator(".pill")).to_have_text("1 of 2")
    expect(page.get_by_label("Missing: 1").locator(".check")).to_contain_text("logs carry ids")
    expect(page.locator("#view h2").first).to_have_text("Missing: 1")
    expect(page.locator(".hint code")).to_have_text("telemetry/logs.py")
    expect(page.locator(".check")).to_have_count(3)
