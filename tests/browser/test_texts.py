"""Texts that others wrote: the unseen is shown, what runs right to left reorders nothing, none is too long."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from .conftest import ROOT, Stage, Visit, eventually
from .test_modules import ask
from .test_servicemap import show as show_map

OVERRIDE = "\u202e"  # what follows is drawn backwards, whatever it is
HEBREW = "\u05e9\u05dc\u05d5\u05dd"
TRACE = "0dd0dd0dd0dd0dd0dd0dd0dd0dd0dd01"
SERVICE = f"odd{OVERRIDE}ecivres"
LONG = "0123456789" * 500
NAMES = {1: f"GET /{OVERRIDE}gpj.exe", 2: "", 3: f"{HEBREW} 500", 4: " \u200b ", 5: "bell\u0007", 6: "  "}
ANSI = "\x1b[32mINFO\x1b[0m:  \x1b[1mGET /\x1b[0m \x1b[31m500\x1b[0m\x1b[2K\x1b]0;title\x07 end"
OPEN_ENDED = "\x1b]0;all of this is text"
UNSEEN = r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\ufeff]"

# Every text and every attribute that a reader (or a screen reader) gets, with a character that nobody sees.
WALK = """source => {
  const unseen = new RegExp(source), found = [];
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    if (unseen.test(n.data) && !["SCRIPT", "STYLE"].includes(n.parentNode.tagName)) found.push(n.data);
  }
  for (const e of document.querySelectorAll("[title], [aria-label], [alt], [placeholder]")) {
    const said = ["title", "aria-label", "alt", "placeholder"].map(name => e.getAttribute(name) ?? "");
    found.push(...said.filter(text => unseen.test(text)));
  }
  return unseen.test(document.title) ? [...found, document.title] : found;
}"""


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _span(number: int, name: str, now: int) -> dict[str, Any]:
    message = _attribute("exception.message", f"no {OVERRIDE}txet \x1b[31mred\x1b[0m")
    failed = {"name": "exception", "timeUnixNano": str(now), "attributes": [message]}
    attributes = [_attribute("long", LONG), _attribute("empty", ""), _attribute("lines", "first\nsecond")]
    return {
        "traceId": TRACE, "spanId": f"{number:016x}", "parentSpanId": f"{1:016x}" if number > 1 else "", "kind": 2,
        "name": name, "startTimeUnixNano": str(now - 10**9 + number * 10**8), "endTimeUnixNano": str(now),
        "attributes": attributes, "events": [failed] if number == 1 else [],
    }  # fmt: skip


@pytest.fixture(scope="module")
def odd(stage: Stage) -> None:
    """Spans and lines with all that a text can do to a page."""
    now = time.time_ns()
    resource = {"attributes": [_attribute("service.name", SERVICE)]}
    spans = [_span(number, name, now) for number, name in NAMES.items()]
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    httpx.post(f"{stage.url(4318)}/v1/traces", json=body).raise_for_status()
    lines = [ANSI, OPEN_ENDED, f"by {OVERRIDE}nimda from 10.0.0.1", " ", LONG,
             json.dumps({"message": f"paid {OVERRIDE}54321", "note": f"{HEBREW}\x07", "long": LONG})]  # fmt: skip
    values = [[str(now + n), line, {"trace_id": TRACE}] for n, line in enumerate(lines)]
    streams = [{"stream": {"service_name": SERVICE, "level": f"in{OVERRIDE}fo"}, "values": values}]
    httpx.post(f"{stage.url(3100)}/loki/api/v1/push", json={"streams": streams}).raise_for_status()

    def is_counted() -> bool:
        query = {"query": 'traces_spanmetrics_calls_total{service=~"odd.*"}'}
        return bool(httpx.get(f"{stage.url(9090)}/api/v1/query", params=query).json()["data"]["result"])

    eventually(is_counted)


pytestmark = pytest.mark.usefixtures("odd")


def look(page: Page, locator: str) -> None:
    page.locator(locator).first.wait_for()
    page.wait_for_load_state("networkidle")


LOGS = 'logs?q={service_name=~"odd.*"}&from=now-30m&refresh=off'
COUNTS = 'metrics?q=sum by (span_name, service) (traces_spanmetrics_calls_total{service=~"odd.*"})&refresh=off'
VIEWS: dict[str, tuple[str, str]] = {
    "trace": (f"trace/{TRACE}?span={1:016x}", ".details h1"),
    "unnamed span": (f"trace/{TRACE}?span={4:016x}", ".details h1"),
    "traces": ('traces?q={resource.service.name =~ "odd.*"}&from=now-30m&refresh=off', ".traces tbody tr"),
    "logs": (LOGS, ".log-line"),
    "metrics": (COUNTS, ".legend button"),
    "refused": (f"metrics?q=sum({OVERRIDE}&refresh=off", ".state.error"),
    "no dashboard": (f"d/no{OVERRIDE}pe?refresh=off", ".state.unknown"),
    "no view": (f"no{OVERRIDE}pe", ".state.unknown"),
    "no trace": (f"trace/no{OVERRIDE}pe", ".state.unknown"),
    "profiles": (f"profiles?service=no{OVERRIDE}pe&refresh=off", ".state.unknown"),
}


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_draws_a_character_that_cannot_be_seen(refused: Visit, view: str) -> None:
    address, drawn = VIEWS[view]
    page = refused.open(address)
    look(page, drawn)
    if view == "logs":
        for line in page.locator(".log-line").all():
            line.click()
    if view == "metrics":
        hover_the_newest(page)
    assert page.evaluate(WALK, UNSEEN) == []
    signs = page.get_by_text("U+202E").count() + page.get_by_text("U+200B").count()
    assert signs > 0 or view == "refused"  # Prometheus repeats no such character


def hover_the_newest(page: Page) -> None:
    """For the text that plotly draws itself; the series have just begun, at the right edge."""
    box = page.locator(".plot .nsewdrag").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    page.locator(".hoverlayer text").first.wait_for(state="attached")


def test_the_map_is_no_exception(visit: Visit) -> None:
    page = show_map(visit, [(SERVICE, f"{HEBREW}\u0007", ""), (SERVICE, "", "")])
    assert page.evaluate(WALK, UNSEEN) == []
    titles = page.locator(".graph text.title").all_text_contents()
    assert sorted(titles) == sorted(["odd[U+202E]ecivres", "(no name)", f"\u2068{HEBREW}[BEL]\u2069"])


def test_nor_is_the_canvas(visit: Visit) -> None:
    names = ["total", f"a.py:{OVERRIDE}daer", ""]
    levels = [{"values": [0, 100, 0, 0]}, {"values": [0, 60, 60, 1, 0, 40, 40, 2]}]

    def answer(route: Route) -> None:
        route.fulfill(json={"flamegraph": {"names": names, "levels": levels, "total": "100", "maxSelf": "60"}})

    visit.page.route("**/SelectMergeStacktraces", answer)
    visit.page.add_init_script("""window.drawn = []; const plain = CanvasRenderingContext2D.prototype.fillText;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
        drawn.push(text); return plain.call(this, text, ...more); }""")
    page = visit.open(f"profiles?service=dice-roller&{visit.stage.window}")
    page.locator(".flame canvas").wait_for()
    page.wait_for_function("drawn.length > 2")
    assert {"a.py:[U+202E]daer", "(no name)"} <= set(page.evaluate("drawn"))
    assert page.evaluate(WALK, UNSEEN) == []


def test_a_name_reorders_nothing_beside_it(visit: Visit) -> None:
    """By the places where the letters are drawn: the name first, then its service, both from left to right."""
    page = visit.open(f"trace/{TRACE}")
    row = page.locator(f'[data-span="{1:016x}"] .text')
    lefts: list[float] = row.evaluate("""row => {
      const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
      const lefts = [];
      for (let n = walker.nextNode(); n; n = walker.nextNode()) {
        for (let i = 0; i < n.length; i += 1) {
          const range = document.createRange(); range.setStart(n, i); range.setEnd(n, i + 1);
          lefts.push(range.getBoundingClientRect().left); } }
      return lefts; }""")
    assert lefts == sorted(lefts)
    expect(page.locator(f'[data-span="{3:016x}"] .text bdi').first).to_have_text(NAMES[3])


def test_a_span_without_a_name_says_so(visit: Visit) -> None:
    page = visit.open(f"trace/{TRACE}")
    for number in (2, 6):
        row = page.locator(f'[data-span="{number:016x}"]')
        expect(row.locator(".text")).to_contain_text("(no name)")
        row.click()
        expect(page.locator(".details h1")).to_have_text("(no name)")


def test_a_terminals_colours_are_colours(visit: Visit) -> None:
    page = visit.open(LOGS)
    line = page.locator(".log-line").filter(has_text="GET /")
    expect(line.locator(".ansi-red")).to_have_text("500")
    expect(line.locator(".bold")).to_have_text("GET /")
    assert (line.locator(".line").inner_text()).endswith("INFO: GET / 500 end")
    line.click()  # what was sent is in the details
    expect(page.locator(".log-more pre")).to_contain_text("ESC[32mINFOESC[0m")
    expect(page.locator(".log-line").filter(has_text="all of this is text")).to_be_visible()


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mbold red\x1b[m off", "bold red off"),
        ("\x1b[38;5;31mx\x1b[38;2;1;2;31my\x1b[0m", "xy"),
        ("\x1b[31", "ESC[31"),  # cut off
        ("\x1b(B\x1b7\x1b[?25lcursor", "cursor"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
    ],
)
def test_sequences_are_read_as_a_terminal_reads_them(visit: Visit, text: str, drawn: str) -> None:
    visit.open("check")
    found = visit.page.evaluate(
        """async a => { const { ansi } = await import("/js/core/ansi.js"), { h } = await import("/js/core/dom.js");
        return h("p", {}, ansi(a)).textContent; }""", text
    )  # fmt: skip
    assert found == drawn


def test_no_escape_makes_a_text_invisible(visit: Visit) -> None:
    classes = ask(visit, "core/ansi.js", "m.ansi(a).map((n) => n.className ?? '')", "\x1b[8;30;40mhidden\x1b[0m")
    assert classes == ["ansi-black"]


def height(one: Locator) -> float:
    box = one.bounding_box()
    assert box
    return box["height"]


def test_a_long_attribute_is_folded_and_copied_whole(visit: Visit) -> None:
    page = visit.open(f"trace/{TRACE}?span={1:016x}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = page.locator(".details .pairs tr").filter(has_text="long")
    assert height(row) < 160
    row.get_by_role("button", name="Copy").click()
    expect(row.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == LONG
    button = row.get_by_role("button", name="Show all 5,000 characters")
    button.click()
    assert height(row) > 400
    row.get_by_role("button", name="Show less").click()
    assert height(row) < 160
    expect(page.locator(".details .pairs tr").filter(has_text="empty")).to_contain_text("(empty)")
    lines = page.locator(".details .pairs tr").filter(has_text="lines").locator("td").nth(1)
    assert lines.inner_text() == "first\nsecond"


def test_a_long_line_is_folded_too(visit: Visit) -> None:
    page = visit.open(LOGS)
    page.locator(".log-line").filter(has_text="0123456789").last.click()
    assert height(page.locator(".log-more")) < 700
    expect(page.get_by_role("button", name="Show all 5,000 characters").first).to_be_visible()


@pytest.mark.parametrize(
    ("view", "says", "way"),
    [
        ("d/nope", "There is no dashboard “nope”", "Dice Roller – Stage 1"),
        ("nope", "There is no view “nope”", "Service map"),
        ("constructor", "There is no view “constructor”", "Logs"),
        ("trace/nope", "“nope” is no trace id", "Newest traces"),
        ("trace", "Which trace?", "Newest traces"),
        ("trace/00ab", "is not stored", "Newest traces"),
        ("profiles?service=nope&from=now-30m", "No profile of nope", "dice-roller"),
        ("profiles?type=nope&from=now-30m", "There is no profile type “nope”", "process_cpu cpu"),
    ],
)
def test_no_address_is_a_dead_end(refused: Visit, view: str, says: str, way: str) -> None:
    page = refused.open(view)
    expect(page.locator(".state")).to_contain_text(says)
    page.get_by_label("Ways on").get_by_role("link", name=way).click()
    expect(page.locator(".state.unknown")).to_have_count(0)


def test_there_is_one_way_for_a_text_into_the_page() -> None:
    """Whoever goes around core/dom.js goes around what makes a text legible."""
    scripts = ROOT / "stack/pocket/ui/static/js"
    around = ("textContent =", "innerText", "innerHTML", "outerHTML", "insertAdjacent", "createTextNode")
    found = [
        f"{path.relative_to(scripts)}: {way}"
        for path in sorted(scripts.rglob("*.js"))
        for way in around
        if path.name != "dom.js" and way in path.read_text()
    ]
    assert found == []
