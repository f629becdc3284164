import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

Handler = Callable[[httpx.Request], httpx.Response]
DieService = Callable[[Handler], None]


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_the_selector_has_what_die_service_lists(page: AppTest, die_service: DieService) -> None:
    die_service(lambda request: httpx.Response(200, json={"identifiers": ["golden", "fair"]}))
    page.run()
    assert page.selectbox[0].options == ["golden", "fair"]
    assert not page.warning


def answer(text: str) -> Handler:
    return lambda request: httpx.Response(200, text=text)


GARBAGE = ["<html>", "[]", "null", "5", '{"identifiers": null}', '{"identifiers": 5}', '{"identifiers": "abc"}',
           '{"identifiers": []}', '{"identifiers": [1]}', '{"identifiers": {"a": 1}}']  # fmt: skip


@pytest.mark.parametrize("handler", [refuse, lambda request: httpx.Response(500), *map(answer, GARBAGE)])
def test_without_die_service_the_page_still_works(
    page: AppTest, die_service: DieService, handler: Handler
) -> None:
    die_service(handler)
    page.run()
    assert not page.exception
    assert page.warning[0].value.startswith("die-service does not answer")
    assert page.selectbox[0].options == ["fair", "risky"]


def test_the_list_is_asked_for_once_not_at_every_click(page: AppTest, die_service: DieService) -> None:
    asked: list[httpx.Request] = []

    def count(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"identifiers": ["fair"]})

    die_service(count)
    for _ in range(3):
        page.run()
    assert len(asked) == 1


def test_a_malformed_url_refuses_to_start_and_says_why() -> None:
    command, environment = (
        [sys.executable, "-c", "import main"],
        os.environ | {"DIE_SERVICE_URL": "die-service:8002"},
    )
    run = subprocess.run(
        command, cwd=Path(__file__).parent.parent, env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 1
    assert (
        run.stderr.strip()
        == "frontend: DIE_SERVICE_URL must be like http://127.0.0.1:8002, not 'die-service:8002'"
    )
