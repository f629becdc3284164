"""Small decisions of the pages' modules, each asked of the module as the browser loads it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from dashboards.colors import SERVICES

from .conftest import POISON_TRACE, Visit


def ask(visit: Visit, module: str, expression: str, argument: Any = None) -> Any:
    """`expression` with the module as `m` and the argument as `a`."""
    page = visit.page
    if not page.url.startswith(visit.base):
        page = visit.open("check")
    return page.evaluate(
        f"async a => {{ const m = await import('/js/{module}'); return {expression}; }}", argument
    )


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("{}", "{} with (most_recent=true)"),
        ("{} | count() > 2", "{} | count() > 2 with (most_recent=true)"),
        ("{} with (most_recent=false)", "{} with (most_recent=false)"),
        ('{name="with (x)"}', '{name="with (x)"} with (most_recent=true)'),
    ],
)
def test_a_search_is_for_the_newest_traces(visit: Visit, query: str, sent: str) -> None:
    page = visit.page
    with page.expect_request("**/uid/tempo/api/search?*") as request:
        visit.open(f"traces?q={query}&{visit.stage.window}")
    assert request.value.url.split("q=")[1].split("&")[0].replace("+", " ") == _encoded(visit, sent)
    answer = request.value.response()
    assert answer
    assert answer.status == 200


def _encoded(visit: Visit, text: str) -> str:
    found: str = visit.page.evaluate(
        "q => new URLSearchParams({q}).toString().slice(2).replaceAll('+', ' ')", text
    )
    return found


def test_a_refusal_is_about_what_the_reader_wrote(refused: Visit) -> None:
    page = refused.open("traces?q={oops")
    expect(page.get_by_role("alert")).to_contain_text("line 1, col 2: unknown identifier: oops")


def test_a_trace_id_may_lack_its_leading_zeros(visit: Visit) -> None:
    page = visit.page
    with page.expect_request("**/uid/tempo/api/v2/traces/*") as request:
        visit.page.route("**/api/v2/traces/*", lambda route: route.fulfill(json={"trace": {}}))
        visit.open("trace/ABC123")
    assert request.value.url.endswith(f"/{'abc123':0>32}")


def test_a_trace_id_in_capitals_is_the_same_trace(visit: Visit) -> None:
    page = visit.open(f"trace/{POISON_TRACE.upper()}")
    expect(page.locator(".facts")).to_contain_text(POISON_TRACE)


def test_a_fill_is_lighter_than_its_line_whatever_the_colour_is_written_as(visit: Visit) -> None:
    assert ask(visit, "core/theme.js", "m.fade('#4c7de8', 0.1)") == "rgba(76, 125, 232, 0.1)"
    assert ask(visit, "core/theme.js", "m.fade('rgb(1, 2, 3)', 0.5)") == "rgba(1, 2, 3, 0.5)"


def test_the_workshops_services_have_the_dashboards_colours(visit: Visit) -> None:
    found = ask(visit, "core/theme.js", "a.map(m.service)", list(SERVICES))
    assert found == [
        f"rgb({', '.join(str(int(hex_[i : i + 2], 16)) for i in (1, 3, 5))})" for hex_ in SERVICES.values()
    ]


def test_another_service_keeps_its_colour_and_takes_no_ones(visit: Visit) -> None:
    found = ask(visit, "core/theme.js", "['checkout', 'cart', 'checkout'].map(m.service)")
    assert found[0] == found[2] != found[1]
