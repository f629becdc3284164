"""Texts that take a page apart: drawn backwards, in a terminal's codes, not at all, for thousands of characters.

Looked at in Chromium as a reader would, and measured: figures are of what is drawn, not of what is in the HTML.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout, Pocket
from tests.browser.conftest import chromium_path

OVERRIDE = "\u202e"
TRACE = "0dd0dd0dd0dd0dd0dd0dd0dd0dd0dd01"
LETTERS = 5000
ANSI = "\x1b[32mINFO\x1b[0m \x1b[31m500 Internal Server Error\x1b[0m"
PHONE = {"width": 360, "height": 740}
PATIENCE_MS = 60_000

# The x of each letter in the order of the text: what falls behind the one before was drawn backwards.
BACKWARDS = """row => {
  const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
  let [last, found] = [-Infinity, 0];
  for (let n = walker.nextNode(); n; n = walker.nextNode()) for (let i = 0; i < n.length; i += 1) {
    const range = document.createRange();
    range.setStart(n, i);
    range.setEnd(n, i + 1);
    const { left, width } = range.getBoundingClientRect();
    if (width && left < last) found += 1;
    if (width) last = left;
  }
  return found; }"""
IN_SIGHT = """e => { const { left, top, width, height } = e.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  return width > 0 && hit !== null && (e.contains(hit) || hit.contains(e)); }"""


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        raise RuntimeError("no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@contextlib.contextmanager
def page(checkout: Checkout, **size: int) -> Iterator[tuple[Page, Pocket]]:
    """A window on a pocket stack that has been sent the texts."""
    dashboards = checkout.root / "stage1" / "grafana-dashboards"
    with checkout.pocket("--dashboards", str(dashboards)) as pocket, browser() as opened:
        send(pocket)
        shown = opened.new_page(viewport={**{"width": 1280, "height": 860}, **size})  # type: ignore[arg-type]
        shown.set_default_timeout(PATIENCE_MS)
        yield shown, pocket


def send(pocket: Pocket) -> None:
    now = time.time_ns()
    names = [f"GET /{OVERRIDE}gpj.exe", "", "   ", *(f"step {n}" for n in range(20))]
    spans = [span(number, name, now) for number, name in enumerate(names, 1)]
    resource = {"attributes": [attribute("service.name", "shop")]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    httpx.post(pocket.url(4318, "/v1/traces"), json=body, timeout=30).raise_for_status()
    values = [[str(now), ANSI, {"trace_id": TRACE}]]
    streams = [{"stream": {"service_name": "texts", "level": "info"}, "values": values}]
    httpx.post(pocket.url(3100, "/loki/api/v1/push"), json={"streams": streams}, timeout=30).raise_for_status()
    time.sleep(1)  # the store commits twice a second


def attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def span(number: int, name: str, now: int) -> dict[str, Any]:
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{1:016x}" if number > 1 else "",
        "name": name,
        "kind": 2,
        "startTimeUnixNano": str(now - 10**9 + number * 10**7),
        "endTimeUnixNano": str(now),
        "attributes": [attribute("long", "0123456789" * (LETTERS // 10))],
    }


def trace(shown: Page, pocket: Pocket, query: str = "") -> None:
    shown.goto(pocket.url(3000, f"/#/trace/{TRACE}{query}"))
    shown.locator(".span-row").first.wait_for()


@attack("UI text: a span's name that draws its neighbours backwards, one that is empty")
def names(checkout: Checkout) -> Outcome:
    with page(checkout) as (shown, pocket):
        trace(shown, pocket)
        rows = shown.locator(".span-row .text")
        backwards = int(rows.first.evaluate(BACKWARDS))
        blank = sum(rows.nth(n).inner_text().replace("shop", "").strip() == "" for n in (1, 2))
        said = rows.first.inner_text()
    shows = "yes" if "U+202E" in said else "no"
    figures = {"letters drawn backwards": backwards, "names that draw nothing": blank, "U+202E shown": shows}
    return Outcome(not backwards and not blank and shows == "yes", {**figures})


@attack("UI text: an attribute of 5,000 characters")
def long_attribute(checkout: Checkout) -> Outcome:
    with page(checkout) as (shown, pocket):
        trace(shown, pocket, f"?span={1:016x}")
        row = shown.locator(".details .pairs tr").filter(has_text="0123456789").first
        row.wait_for()
        height = int((row.bounding_box() or {"height": 0})["height"])
        folds = shown.get_by_role("button", name="Show all").count()
    return Outcome(0 < height < 200 and folds > 0, {"height px": height, "buttons to show all": folds})


@attack("UI text: a log line in a terminal's colours, opened on a phone")
def log_line(checkout: Checkout) -> Outcome:
    with page(checkout, **PHONE) as (shown, pocket):
        shown.goto(pocket.url(3000, '/#/logs?q={service_name="texts"}&from=now-30m&refresh=off'))
        line = shown.locator(".log-line").first
        line.wait_for()
        raw = len(re.findall(r"\x1b|\[\d+m", line.inner_text()))
        line.click()
        shown.locator(".log-more .pairs td:nth-child(2)").first.wait_for()
        widths = shown.locator(".log-more .pairs td:nth-child(2)").evaluate_all(
            "all => all.map(e => Math.round(e.getBoundingClientRect().width))"
        )
    return Outcome(
        not raw and min(widths) > 200, {"raw codes in the list": raw, "narrowest value px": min(widths)}
    )


@attack("UI text: a span chosen at 1024 pixels, its details in sight")
def details(checkout: Checkout) -> Outcome:
    with page(checkout, width=1024, height=768) as (shown, pocket):
        trace(shown, pocket)
        row = shown.locator(".span-row").nth(5)
        row.click()
        name = shown.locator(".details h1").filter(has_text="step")
        name.wait_for(state="attached")
        seen = bool(name.evaluate(IN_SIGHT))
        top = int((name.bounding_box() or {"y": -1})["y"])
    return Outcome(seen, {"its name in sight": str(seen), "its place, px from the top of 768": top})


@attack("UI text: the service map in a total outage")
def outage(checkout: Checkout) -> Outcome:
    def answer(route: Route) -> None:
        sample = {"metric": {"client": "a", "server": "b"}, "value": [1, "2"]}
        route.fulfill(json={"status": "success", "data": {"resultType": "vector", "result": [sample]}})

    with page(checkout) as (shown, pocket):
        shown.route("**/uid/prometheus/api/v1/query?*", answer)
        shown.goto(pocket.url(3000, "/#/service-map?refresh=off"))
        shown.locator(".graph .call text.bad").wait_for()
        said = shown.locator(".graph .call text.bad").text_content() or ""
    return Outcome(said == "100 % failed", {"the map says": said})


@attack("UI text: addresses of nothing")
def addresses(checkout: Checkout) -> Outcome:
    """A dashboard, a view and traces that do not exist: each page has a link on, or is another one."""
    ends = []
    with page(checkout) as (shown, pocket):
        for address in ("d/nope", "nope", "trace/nope", "trace/00ab"):
            shown.goto("about:blank")
            shown.goto(pocket.url(3000, f"/#/{address}"))
            shown.locator("#view .state, #view .panel").first.wait_for()
            if not shown.locator("#view .state a, #view .panel").count():
                ends.append(address)
    return Outcome(not ends, {"dead ends": ", ".join(ends) or "none"})
