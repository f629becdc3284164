"""A full disk is said on whatever view is open, and no more than once closed."""

from __future__ import annotations

import json

from playwright.sync_api import Route, expect

from .conftest import Visit
from .test_modules import ask

FULL = {
    "free_bytes": 0,
    "services": [{"name": "frontend", "waiting": 1530, "lost": 1, "fault": "No space left on device"}],
}


def test_the_sentences(visit: Visit) -> None:
    assert ask(visit, "parts/notices.js", "m.sentences(a)", FULL) == [
        "The disk is full: make room, or telemetry, log lines and usage events will be lost.",
        "frontend: 1,530 log lines in memory, not in the log (No space left on device).",
        "frontend: 1 log line lost, as the log could not be written for too long.",
    ]
    assert ask(visit, "parts/notices.js", "m.sentences(a)", {"free_bytes": 10**9, "services": []}) == []
    assert ask(visit, "parts/notices.js", "m.sentences(a)", {"free_bytes": None, "services": []}) == []


def test_a_full_disk_is_said_on_any_view_and_can_be_closed(visit: Visit) -> None:
    def full(route: Route) -> None:
        route.fulfill(body=json.dumps(FULL), content_type="application/json")

    visit.page.route("**/api/workshop/losses", full)
    page = visit.open("logs")
    notice = page.locator("#notices")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("1,530 log lines in memory")
    for width in (1280, 820, 390):
        page.set_viewport_size({"width": width, "height": 800})
        box = notice.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_be_hidden()


def test_nothing_is_shown_when_all_is_well(visit: Visit) -> None:
    with visit.page.expect_response("**/api/workshop/losses"):
        page = visit.open("check")
    expect(page.locator("#notices")).to_be_hidden()
