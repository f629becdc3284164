"""Searching: traces, logs, metrics, profiles, the time range, the checklist."""

from __future__ import annotations

import re
import time
import uuid

import httpx
import pytest
from playwright.sync_api import WebSocketRoute, expect

from .conftest import POISON_TRACE, Stage, Visit, eventually, push_line
from .test_dashboard import inked

NO_SOCKETS = (
    "() => { window.WebSocket = class { constructor() { setTimeout(() => this.onclose(), 10); } close() {} }; }"
)


def test_traceql_search_keeps_its_query_in_the_url_and_in_the_history(visit: Visit) -> None:
    page = visit.open(f"traces?{visit.stage.window}")
    page.get_by_label("TraceQL query").fill('{span.dice.die_type = "fair"}')
    page.get_by_label("TraceQL query").press("Enter")
    expect(page).to_have_url(re.compile(r"q=%7Bspan\.dice\.die_type"))
    page.locator("table.traces tbody tr").first.wait_for()
    page.get_by_role("button", name="Earlier queries").click()
    expect(page.locator(".popover .option").first).to_have_text('{span.dice.die_type = "fair"}')


def test_a_point_of_the_scatter_opens_its_trace(visit: Visit) -> None:
    page = visit.open(f"traces?{visit.stage.window}")
    point = page.locator(".scatterlayer .point").first
    box = point.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".hoverlayer .hovertext").wait_for()
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile("#/trace/"))


@pytest.mark.parametrize(
    "pasted",
    [f"  {POISON_TRACE}\n", POISON_TRACE.upper(), f"00-{POISON_TRACE}-badc0ffee0ddf00d-01",
     f"traceparent: 00-{POISON_TRACE}-badc0ffee0ddf00d-01"],
)  # fmt: skip
def test_a_pasted_trace_id_opens_its_trace(visit: Visit, pasted: str) -> None:
    page = visit.open("traces?refresh=off")
    page.get_by_label("TraceQL query").fill(pasted)
    page.get_by_label("TraceQL query").press("Enter")
    expect(page.locator(".facts")).to_contain_text(POISON_TRACE)
    page.go_back()
    expect(page.get_by_label("TraceQL query")).to_have_value("{}")


def test_a_trace_id_for_a_query_in_a_link_opens_its_trace_and_back_is_no_trap(visit: Visit) -> None:
    page = visit.open("logs")
    page.goto(f"{visit.base}/#/traces?q={POISON_TRACE}")
    expect(page.locator(".facts")).to_contain_text(POISON_TRACE)
    page.go_back()
    expect(page).to_have_url(re.compile("#/logs"))


def test_traceql_metrics_are_drawn_and_not_searched(visit: Visit) -> None:
    page = visit.page
    searches: list[str] = []
    page.on("request", lambda request: searches.append(request.url) if "/api/search?q" in request.url else None)
    visit.open(f"traces?q={{}} | rate() by (name)&{visit.stage.window}")
    page.locator("#view .scatterlayer path.js-line").first.wait_for(state="attached")
    expect(page.locator(".legend button").filter(has_text="roll die")).to_be_visible()
    expect(page.get_by_label("Most traces")).to_be_hidden()
    assert searches == []


def test_the_scatter_says_from_when_on_it_shows_traces(visit: Visit) -> None:
    page = visit.open(f"traces?limit=20&{visit.stage.window}")
    page.locator("table.traces tbody tr").first.wait_for()
    expect(page.get_by_text(re.compile(r"^The newest 20 traces, back to \d\d:\d\d:\d\d\."))).to_be_visible()
    expect(page.locator(".shapelayer path")).to_have_count(2)  # the part without, and where it ends
    expect(page.locator(".annotation-text")).to_contain_text("not shown: before")
    page.get_by_label("TraceQL query").fill('{name = "roll die" && status = error}')
    page.get_by_label("TraceQL query").press("Enter")
    page.get_by_label("Most traces").select_option("500")
    expect(page.locator(".shapelayer path")).to_have_count(0)


def test_the_level_of_a_line_that_came_by_otlp_is_the_charts_too(visit: Visit, stage: Stage) -> None:
    record = {"timeUnixNano": str(time.time_ns()), "severityText": "WARN", "body": {"stringValue": "by otlp"}}
    service = {"key": "service.name", "value": {"stringValue": "otlp-app"}}
    resource = {"resource": {"attributes": [service]}, "scopeLogs": [{"logRecords": [record]}]}
    httpx.post(f"{stage.url(4318)}/v1/logs", json={"resourceLogs": [resource]}).raise_for_status()
    page = visit.open('logs?q={service_name="otlp-app"} |= "by otlp"&from=now-15m&refresh=off')

    def has_line() -> bool:
        page.get_by_role("button", name="Refresh now").click()
        page.wait_for_load_state("networkidle")
        return page.locator(".log-line").count() > 0

    eventually(has_line)
    expect(page.locator(".log-line .level").first).to_have_text("warn")
    expect(page.get_by_label("Log volume").locator(".legend")).to_have_text("warning")


def test_a_traces_logs_are_read_from_their_beginning(visit: Visit, stage: Stage) -> None:
    trace = uuid.uuid4().hex
    for n in range(3):
        push_line(stage, f"line {n}", {"trace_id": trace})
    page = visit.open(f'logs?q={{service_name="poison"}} | trace_id="{trace}"&from=now-15m&refresh=off')
    lines = page.locator(".log-line .line")
    expect(lines).to_have_text([re.compile(f"line {n}") for n in range(3)])
    page.get_by_role("button", name="Oldest first").click()
    expect(lines).to_have_text([re.compile(f"line {n}") for n in (2, 1, 0)])
    page.get_by_label("LogQL query").fill('{service_name="poison"} |= "line"')
    page.get_by_label("LogQL query").press("Enter")
    expect(lines.first).to_contain_text("line 2")


@pytest.mark.parametrize(
    ("view", "source"),
    [
        ("traces?q={oops", "Tempo"),
        ("logs?q={oops", "Loki"),
        ("metrics?q=sum(", "Prometheus"),
        ('metrics?q=up{a=~"("}', "Prometheus"),
    ],
)
def test_a_refused_query_shows_the_backends_words(refused: Visit, view: str, source: str) -> None:
    page = refused.open(view)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(f"{source} refused the query")
    assert len(alert.locator("pre").first.inner_text()) > 10


def test_a_backend_that_does_not_answer_is_named(refused: Visit) -> None:
    refused.page.route("**/uid/loki/**", lambda route: route.abort())
    page = refused.open("logs")
    expect(page.get_by_role("alert")).to_contain_text("Loki cannot be reached")


@pytest.mark.parametrize("view", ["traces", "logs", "metrics?q=up", "service-map", "profiles?service=nobody"])
def test_where_nothing_is_the_page_says_what_to_do(visit: Visit, view: str) -> None:
    joint = "&" if "?" in view else "?"
    page = visit.open(f"{view}{joint}from=1600000000000&to=1600000900000")
    expect(page.locator(".state")).to_contain_text("make traffic STAGE=1")
    expect(page.locator(".state")).to_contain_text("Press “Now”")


def test_an_unknown_trace_is_not_stored(refused: Visit) -> None:
    page = refused.open("trace/00000000000000000000000000000001")
    expect(page.locator(".state")).to_contain_text("is not stored")


def test_log_fields_narrow_the_query(visit: Visit) -> None:
    page = visit.open(f'logs?q={{service_name="dice-roller"}}&{visit.stage.window}')
    page.locator(".log-line").first.click()
    page.get_by_role("button", name="Only lines where level is this").first.click()
    expect(page.get_by_label("LogQL query")).to_have_value('{service_name="dice-roller", level="info"}')
    page.locator(".log-line").first.wait_for()
    expect(page.get_by_label("Log volume").locator(".barlayer path").first).to_be_visible()


def test_the_live_tail_shows_a_line_that_arrives(visit: Visit, stage: Stage) -> None:
    page = visit.open('logs?q={service_name="poison"}&from=now-30m&refresh=off')
    page.locator(".log-line").first.wait_for()
    with page.expect_websocket(lambda socket: "/loki/api/v1/tail" in socket.url):
        page.get_by_role("button", name="Live").click()
    expect(page.locator(".live-state")).to_have_text("Live")
    word = uuid.uuid4().hex
    push_line(stage, f"fresh {word}", {"trace_id": POISON_TRACE})
    newest = page.locator(".log-line").first
    expect(newest).to_contain_text(word)
    newest.click()  # what is structured metadata in an answer is not a label in the tail
    more = page.locator(".log-more .pairs tr").filter(has_text="trace_id")
    expect(more.locator(".tag")).to_have_text("metadata")
    push_line(stage, "and one more")
    expect(page.locator(".log-line").nth(1)).to_contain_text(word)
    expect(page.locator(".log-line").nth(1)).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".live-state")).to_be_hidden()


def test_where_no_socket_gets_through_the_tail_asks(refused: Visit, stage: Stage) -> None:
    page = refused.open('logs?q={service_name="poison"}&from=now-30m&refresh=off')
    page.locator(".log-line").first.wait_for()
    page.evaluate(NO_SOCKETS)
    page.get_by_role("button", name="Live").click()
    expect(page.locator(".live-state")).to_have_text("Every 2 s")
    word = uuid.uuid4().hex
    push_line(stage, f"asked for {word}")
    expect(page.locator(".log-line").first).to_contain_text(word)


def test_the_tail_comes_back_by_itself_and_has_missed_nothing(refused: Visit, stage: Stage) -> None:
    page = refused.page
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) == 2:
            socket.close()  # still away at the first new attempt
        else:
            socket.connect_to_server()

    page.route_web_socket(re.compile("/loki/api/v1/tail"), through)
    refused.open('logs?q={service_name="poison"}&from=now-30m&refresh=off')
    page.get_by_role("button", name="Live").click()
    expect(page.locator(".live-state")).to_have_text("Live")
    word = uuid.uuid4().hex
    sockets[0].close()
    expect(page.locator(".live-state")).to_have_text("Reconnecting…")
    push_line(stage, f"meanwhile {word}")
    expect(page.locator(".live-state")).to_have_text("Live")
    expect(page.locator(".log-line").filter(has_text=word)).to_have_count(1)
    assert len(sockets) > 2


def test_a_query_that_cannot_be_followed_says_why(refused: Visit) -> None:
    page = refused.open('logs?q={service_name="poison"}&from=now-30m&refresh=off')
    page.locator(".log-line").first.wait_for()
    page.route("**/query_range?*", lambda route: route.fulfill(status=400, body="parse error: of the test"))
    page.evaluate(NO_SOCKETS)
    page.get_by_role("button", name="Live").click()
    expect(page.locator(".live-state")).to_have_text("Stopped")
    expect(page.locator(".live-state")).to_have_attribute("title", re.compile("parse error: of the test"))
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")


def test_promql_is_completed_and_drawn(visit: Visit) -> None:
    page = visit.open(f"metrics?{visit.stage.window}")
    box = page.get_by_label("PromQL query")
    page.get_by_role("link", name="dice_rolls_total").wait_for()
    box.press_sequentially("dice_rolls_t")
    option = page.locator(".suggestions [role=option]").first
    expect(option).to_contain_text("counter")
    box.press("Tab")
    expect(box).to_have_value("dice_rolls_total")
    box.press("Enter")
    page.locator(".scatterlayer path.js-line").first.wait_for(state="attached")
    expect(page.get_by_label("Values").locator("th").filter(has_text="die_type")).to_be_visible()
    expect(page.get_by_role("note")).to_contain_text("counter")


def test_a_latency_query_has_exemplars_that_lead_to_traces(visit: Visit) -> None:
    query = "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))"
    page = visit.open(f"metrics?q={query}&{visit.stage.window}")
    page.locator("a.exemplar").first.wait_for()
    assert re.search("#/trace/[0-9a-f]{32}", page.locator("a.exemplar").first.get_attribute("href") or "")


def test_the_flame_graph_zooms_and_finds(visit: Visit) -> None:
    page = visit.open(f"profiles?service=dice-roller&{visit.stage.window}")
    canvas = page.locator(".flame canvas")
    canvas.wait_for()
    assert inked(page, ".flame canvas")
    before = canvas.evaluate("c => c.toDataURL()")
    page.get_by_label("Find a function").fill("py")
    searched = canvas.evaluate("c => c.toDataURL()")
    assert searched != before
    canvas.focus()
    canvas.press("ArrowDown")
    canvas.press("ArrowDown")
    canvas.press("Enter")
    assert canvas.evaluate("c => c.toDataURL()") != searched
    expect(canvas).to_have_attribute("aria-label", re.compile("Total .*Self "))


def test_the_time_range_is_chosen_and_shared(visit: Visit) -> None:
    page = visit.open("traces")
    page.get_by_title("Time range").click()
    page.get_by_role("menuitemradio", name="Last 30 minutes").click()
    expect(page).to_have_url(re.compile("from=now-30m"))
    page.get_by_role("link", name="Logs").click()
    expect(page).to_have_url(re.compile("#/logs.*from=now-30m"))
    page.get_by_title("Time range").click()
    page.get_by_label("From").fill("yesterday")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".popover [role=alert]")).to_contain_text("now-20m")
    page.get_by_label("From").fill("now-20m")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("from=now-20m"))


def test_auto_refresh_asks_again(visit: Visit) -> None:
    page = visit.open("service-map?refresh=5s")
    for _ in range(2):
        with page.expect_response(lambda response: "traces_service_graph" in response.url):
            pass
