from collections.abc import Callable

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

Backend = Callable[[Callable[[httpx.Request], httpx.Response]], list[httpx.Request]]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def button(page: AppTest, label: str) -> Button:
    return next(each for each in page.button if each.label == label)


def test_the_page_offers_the_dice(page: AppTest, lucky: list[httpx.Request]) -> None:
    page.run()
    assert not page.exception
    assert {"fair", "risky"} <= set(page.selectbox[0].options)
    assert not page.success


def test_a_click_shows_status_value_and_body(page: AppTest, lucky: list[httpx.Request]) -> None:
    page.run().selectbox[0].set_value("risky").run()
    button(page, "Roll").click().run()
    assert page.success[0].value == "200: the risky die shows 4"
    assert '"roll": 4' in page.json[0].value or '"roll":4' in page.json[0].value
    assert lucky[-1].url.params["die"] == "risky"


def test_a_failed_roll_is_shown_with_its_reason(page: AppTest, backend: Backend) -> None:
    backend(lambda request: httpx.Response(500, json={"detail": "The risky die fell off the table."}))
    button(page.run(), "Roll").click().run()
    assert page.error[0].value == "500: The risky die fell off the table."
    assert not page.exception


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def stall(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


def answer(status: int, text: str, encoding: str = "identity") -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(
        status, headers={"content-encoding": encoding}, stream=httpx.ByteStream(text.encode())
    )


GARBAGE = [
    answer(200, "<html>"),
    answer(200, "{}", "gzip"),
    answer(302, ""),
    *(answer(200, text) for text in ("", "[]", "{}", "[[1, 2]]", "null", '{"detail": "fine"}')),
    *(answer(500, text) for text in ("{}", "[1]", "null", "Internal Server Error")),
]


@pytest.mark.parametrize(
    ("handler", "status"), [(refuse, "503"), (stall, "504"), *((garbage, "503") for garbage in GARBAGE)]
)
def test_a_roller_that_gives_no_answer_is_an_answer_too(
    page: AppTest, backend: Backend, handler: Callable[[httpx.Request], httpx.Response], status: str
) -> None:
    before = value("streamlit_requests_total", die_type="fair", status=status)
    timed = value("streamlit_request_duration_seconds_count", die_type="fair")
    page.run()
    backend(handler)
    button(page, "Roll").click().run()
    assert page.error[0].value.startswith(f"{status}: The ")
    assert not page.exception
    assert value("streamlit_requests_total", die_type="fair", status=status) == before + 1
    assert value("streamlit_request_duration_seconds_count", die_type="fair") == timed + 1


def test_the_trace_id_leads_to_the_trace(
    page: AppTest, lucky: list[httpx.Request], spans: InMemorySpanExporter
) -> None:
    button(page.run(), "Roll").click().run()
    trace_id = f"{spans.get_finished_spans()[-1].context.trace_id:032x}"
    assert page.markdown[-1].value == f"Trace [`{trace_id}`](http://grafana.test/trace/{trace_id})"


def test_running_the_page_again_makes_no_metric_twice(page: AppTest, lucky: list[httpx.Request]) -> None:
    before = value("streamlit_button_clicks_total", die_type="fair")
    page.run()
    for _ in range(3):
        button(page, "Roll").click().run()
    assert not page.exception
    assert value("streamlit_button_clicks_total", die_type="fair") == before + 3
