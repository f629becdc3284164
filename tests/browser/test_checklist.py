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
