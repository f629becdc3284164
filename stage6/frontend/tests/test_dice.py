from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

import dice

Handler = Callable[[httpx.Request], httpx.Response]
DieService = Callable[[Handler], None]


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_the_selector_has_what_die_service_lists(page: AppTest, die_service: DieService) -> None:
    die_service(lambda request: httpx.Response(200, json={"identifiers": ["fair", "golden"]}))
    page.run()
    assert {"fair", "golden"} <= set(page.selectbox[0].options)
    assert not page.warning
    dice.known.discard("golden")


@pytest.mark.parametrize(
    "handler", [refuse, lambda request: httpx.Response(500), lambda request: httpx.Response(200, text="<html>")]
)
def test_without_die_service_the_page_still_works(
    page: AppTest, die_service: DieService, handler: Handler
) -> None:
    die_service(handler)
    page.run()
    assert not page.exception
    assert page.warning[0].value.startswith("die-service does not answer")
    assert {"fair", "risky"} <= set(page.selectbox[0].options)


def test_the_list_is_asked_for_once_not_at_every_click(page: AppTest, die_service: DieService) -> None:
    asked: list[httpx.Request] = []

    def count(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"identifiers": ["fair"]})

    die_service(count)
    for _ in range(3):
        page.run()
    assert len(asked) == 1
