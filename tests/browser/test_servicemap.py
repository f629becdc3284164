"""The service map over graphs of the test's own: words, units, places of labels, where a click leads."""

from __future__ import annotations

import itertools
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from .conftest import Visit

Edge = tuple[str, str, str]  # client, server, connection type
CROWDED: list[Edge] = [
    ("shop", "cart", ""), ("shop", "prices", ""), ("shop", "users", ""), ("shop", "stock", ""),
    ("admin", "cart", ""), ("admin", "users", ""), ("user", "admin", "virtual_node"),
    ("cart", "orders", "database"), ("stock", "orders", "database"), ("users", "orders", "database"),
    ("shop", "orders", "database"),
]  # fmt: skip


def show(visit: Visit, edges: list[Edge], rate: float = 2.0, spent: float = 0.5, failed: float = 0.1) -> Page:
    """The map of these calls: `rate` requests a second, a share of them `failed`, `spent` seconds a second."""
    values = {
        "total": rate,
        "failed_total": rate * failed,
        "server_seconds_sum": spent,
        "server_seconds_count": rate,
    }

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)["query"][0]
        metric = re.search(r"traces_service_graph_request_(\w+)", query)
        assert metric
        result = [_sample(edge, values[metric[1]]) for edge in edges]
        route.fulfill(json={"status": "success", "data": {"resultType": "vector", "result": result}})

    visit.page.route("**/uid/prometheus/api/v1/query?*", answer)
    page = visit.open("service-map?refresh=off")
    page.locator(".graph .call").first.wait_for()
    return page


def _sample(edge: Edge, value: float) -> dict[str, Any]:
    client, server, kind = edge
    return {
        "metric": {"client": client, "server": server, **({"connection_type": kind} if kind else {})},
        "value": [1, str(value)],
    }


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    script = "all => all.map(e => e.getBoundingClientRect().toJSON())"
    found: list[dict[str, float]] = page.locator(selector).evaluate_all(script)
    return found


def overlap(a: dict[str, float], b: dict[str, float]) -> bool:
    return all(
        a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "width"), ("y", "height"))
    )


def test_no_label_covers_another_or_a_service(visit: Visit) -> None:
    page = show(visit, CROWDED)
    labels, services = boxes(page, ".graph rect.label"), boxes(page, ".graph rect.plate")
    assert len(labels) == len(CROWDED)
    assert [pair for pair in itertools.combinations(labels, 2) if overlap(*pair)] == []
    assert [(label, service) for label in labels for service in services if overlap(label, service)] == []


def test_a_labels_text_lies_in_its_box_and_a_services_in_its_plate(visit: Visit) -> None:
    page = show(visit, [("traffic-gen", "streamlit-frontend", ""), ("streamlit-frontend", "dice-roller", "")])
    sticking_out = page.locator(".graph a").evaluate_all("""all => all.flatMap(a => {
      const box = a.querySelector("rect").getBoundingClientRect();
      return [...a.querySelectorAll("text")].filter(t => t.getBoundingClientRect().left < box.left - 1
        || t.getBoundingClientRect().right > box.right + 1).map(t => t.textContent); })""")
    assert sticking_out == []


def test_map_and_table_use_one_unit(visit: Visit) -> None:
    page = show(visit, [("a", "b", "")], rate=0.05)
    expect(page.locator(".graph .call text").first).to_have_text("3 req/min")
    expect(page.locator(".table tbody td").nth(2)).to_have_text("3 req/min")


def test_a_total_outage_reads_as_one(visit: Visit) -> None:
    page = show(visit, [("a", "b", "")], failed=1)
    expect(page.locator(".graph .call text.bad")).to_have_text("100 % failed")
    expect(page.locator(".table tbody td").nth(3)).to_have_text("100 %")


def test_a_latency_nobody_measured_is_a_dash(visit: Visit) -> None:
    page = show(visit, [("a", "b", "")], spent=0.0)
    expect(page.locator(".table tbody td").nth(4)).to_have_text("–")
    assert "0 s" not in (page.locator(".graph").text_content() or "")


def test_a_call_leads_to_its_traces(visit: Visit) -> None:
    page = show(visit, [("dice-roller", "die-service", "")])
    page.get_by_label("Service graph").get_by_role("link", name="dice-roller to die-service: traces").click()
    wanted = '{resource.service.name = "dice-roller"} > {resource.service.name = "die-service"}'
    expect(page.get_by_label("TraceQL query")).to_have_value(wanted)


def test_what_sends_no_spans_is_found_by_those_who_do(visit: Visit) -> None:
    page = show(visit, [("user", "usage-service", "virtual_node"), ("usage-service", "postgres", "database")])
    script = "all => all.map(a => new URLSearchParams(a.getAttribute('href').split('?')[1]).get('q'))"
    asked = page.locator(".graph a").evaluate_all(script)
    assert any("span.db.system.name != nil" in query for query in asked)
    assert any("nestedSetParent < 0" in query for query in asked)
    assert not any('resource.service.name = "postgres"' in query or '"user"' in query for query in asked)


def test_calls_that_never_arrived_are_of_the_same_edge(visit: Visit) -> None:
    """A service whose calls are lost sends spans all the same, and so does the one that they did not reach."""
    lost = ("dice-roller", "die-service", "virtual_node")
    page = show(visit, [("user", "dice-roller", "virtual_node"), ("dice-roller", "die-service", ""), lost])
    table = page.locator(".table tbody tr")
    expect(table.filter(has_text="die-service")).to_have_count(1)
    script = "all => all.map(a => new URLSearchParams(a.getAttribute('href').split('?')[1]).get('q'))"
    asked = page.locator(".graph a").evaluate_all(script)
    assert '{resource.service.name = "dice-roller"}' in asked
    assert '{resource.service.name = "die-service"}' in asked


def test_a_total_outage_leads_to_the_calls_that_were_lost(visit: Visit) -> None:
    page = show(visit, [("user", "dice-roller", "virtual_node"), ("dice-roller", "die-service", "virtual_node")])
    page.get_by_label("Service graph").get_by_role("link", name="dice-roller to die-service: traces").click()
    wanted = '{resource.service.name = "dice-roller" && span.peer.service = "die-service"}'
    expect(page.get_by_label("TraceQL query")).to_have_value(wanted)


def test_the_real_maps_calls_have_traces(visit: Visit) -> None:
    page = visit.open(f"service-map?{visit.stage.window}")
    page.get_by_label("Calls").get_by_role("link", name="traffic-gen to dice-roller: traces").click()
    page.locator("table.traces tbody tr").first.wait_for()
