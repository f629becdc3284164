"""The links between signals: exemplar → trace → its logs → its profile, and back."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from .conftest import Visit
from .test_dashboard import inked, panel


def open_exemplar(visit: Visit) -> Page:
    page = visit.open(f"d/dice-roller-stage1?{visit.stage.window}")
    exemplar = panel(page, "Latency with exemplars").locator("a.exemplar").first
    exemplar.scroll_into_view_if_needed()
    exemplar.dispatch_event("click")  # diamonds may lie over each other; the link is what is tested
    expect(page).to_have_url(re.compile(r"#/trace/[0-9a-f]{32}"))
    page.locator(".span-row").first.wait_for()
    return page


def trace_id(page: Page) -> str:
    found = re.search(r"#/trace/([0-9a-f]{32})", page.url)
    assert found
    return found[1]


def test_an_exemplar_leads_to_its_trace(visit: Visit) -> None:
    page = open_exemplar(visit)
    services = page.locator(".facts .service").all_inner_texts()
    assert set(services) == {"traffic-gen", "dice-roller"}
    names = page.locator(".span-row .name .text").all_inner_texts()
    assert any(name.startswith("roll die") for name in names)
    expect(page.locator(".details h1")).not_to_be_empty()


def test_a_trace_leads_to_its_logs_and_a_line_back_to_the_trace(visit: Visit) -> None:
    page = open_exemplar(visit)
    trace = trace_id(page)
    page.get_by_role("link", name="Logs of this trace").click()
    lines = page.locator(".log-line")
    lines.first.wait_for()
    assert lines.count() >= 1
    lines.first.click()
    expect(page.locator(".log-more .pairs")).to_contain_text(trace)
    page.get_by_role("link", name="Open trace").click()
    expect(page).to_have_url(re.compile(rf"#/trace/{trace}\?.*span="))
    expect(page.locator('.span-row[aria-selected="true"]')).to_have_count(1)


def test_a_trace_leads_to_the_profile_of_its_service(visit: Visit) -> None:
    page = open_exemplar(visit)
    page.locator(".span-row").filter(has_text="roll die").first.click()
    page.locator(".details").get_by_role("link", name="Profile").click()
    expect(page).to_have_url(re.compile(r"#/profiles\?.*service=dice-roller"))
    page.locator(".flame canvas").wait_for()
    assert inked(page, ".flame canvas")
    assert page.get_by_label("Top functions").locator("tbody tr").count() > 3


def test_a_span_leads_to_its_own_logs_and_to_its_metrics(visit: Visit) -> None:
    page = open_exemplar(visit)
    page.locator(".span-row").filter(has_text="roll die").first.click()
    page.locator(".details").get_by_role("link", name="Logs of this span").click()
    page.locator(".log-line").first.wait_for()
    page.go_back()
    page.locator(".details").get_by_role("link", name="Metrics").click()
    expect(page.get_by_label("PromQL query")).to_have_value(re.compile("traces_spanmetrics_latency_bucket"))
    page.locator(".scatterlayer path.js-line").first.wait_for(state="attached")


def test_a_trace_can_be_saved_as_json(visit: Visit, tmp_path: Path) -> None:
    page = open_exemplar(visit)
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    download.value.save_as(tmp_path / "trace.json")
    saved = json.loads((tmp_path / "trace.json").read_text())
    assert saved["trace"]["resourceSpans"]
    assert download.value.suggested_filename == f"trace-{trace_id(page)}.json"


def test_the_waterfall_folds_and_walks_by_keyboard(visit: Visit) -> None:
    page = open_exemplar(visit)
    rows = page.locator(".span-row")
    before = rows.count()
    rows.first.click()
    rows.first.press("ArrowDown")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    rows.nth(1).press("ArrowUp")
    rows.first.press("ArrowLeft")
    expect(rows).to_have_count(1)
    rows.first.press("ArrowRight")
    expect(rows).to_have_count(before)


def test_grafanas_way_to_link_a_trace_works(visit: Visit) -> None:
    trace = trace_id(open_exemplar(visit))
    visit.page.goto(f"{visit.base}/trace/{trace}")
    expect(visit.page.locator(".facts")).to_contain_text(trace)


def test_the_service_map_leads_to_a_services_traces(visit: Visit) -> None:
    page = visit.open(f"service-map?{visit.stage.window}")
    page.get_by_role("link", name="dice-roller: traces", exact=True).click()
    expect(page.get_by_label("TraceQL query")).to_have_value('{resource.service.name = "dice-roller"}')
    page.locator("table.traces tbody tr").first.wait_for()
    page.locator("table.traces tbody tr").first.click()
    expect(page.locator(".waterfall")).to_be_visible()
