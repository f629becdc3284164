"""A virtual user of the frontend: opens the page, chooses a die, clicks Roll, reads what the page says."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlencode

from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import SpanKind, Status, StatusCode
from streamlit.proto.Alert_pb2 import Alert
from websockets.exceptions import WebSocketException

from traffic_gen.outcome import Outcome
from traffic_gen.settings import Settings, frontend_url
from traffic_gen.streamlit_page import Page, Session

tracer = trace.get_tracer("traffic_gen")
STATUS = re.compile(r"\d{3}")


class StreamlitUser:
    """Each click is a trace of its own: a CLIENT span whose traceparent travels in the page's query string."""

    def __init__(self, settings: Settings, dice: Mapping[str, int]) -> None:
        self.settings, self.dice = settings, dice
        self.session: Session | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.leave()

    async def leave(self) -> None:
        if self.session:
            await self.session.__aexit__(None, None, None)
        self.session = None

    def choose(self, rng: random.Random) -> str:
        return rng.choices(list(self.dice), weights=list(self.dice.values()))[0]

    async def act(self, rng: random.Random) -> Outcome:
        die = self.choose(rng)
        return await self.click(f"roll {die}", "Roll", {"Die": die})

    async def click(self, action: str, button: str, choices: Mapping[str, str | int]) -> Outcome:
        """Makes the choices, clicks, and takes the status from what the page shows."""
        started = time.perf_counter()
        with tracer.start_as_current_span(f"click {button}", kind=SpanKind.CLIENT) as span:
            status = await self._status(button, choices)
            if not (STATUS.fullmatch(status) and int(status) < 500):
                span.set_status(Status(StatusCode.ERROR, status))
                span.set_attribute(ERROR_TYPE, status)
        return Outcome(action, status, time.perf_counter() - started)

    async def _status(self, button: str, choices: Mapping[str, str | int]) -> str:
        carrier: dict[str, str] = {}
        inject(carrier)
        try:
            session = await self._open()
            for label, value in choices.items():
                if isinstance(value, str):
                    session.choose(label, value)
                else:
                    session.enter(label, value)
            return shown_status(await session.click(button, urlencode(carrier)))
        except (OSError, TimeoutError, LookupError, WebSocketException) as error:
            await self.leave()
            return type(error).__name__

    async def _open(self) -> Session:
        if self.session is None:
            self.session = await Session(frontend_url()).__aenter__()
        return self.session


class BatchUser(StreamlitUser):
    """Rolls up to `max_async_rolls` dice at once with `async_probability`, else one."""

    async def act(self, rng: random.Random) -> Outcome:
        if rng.random() >= self.settings.async_probability:
            return await super().act(rng)
        most = self.settings.max_async_rolls
        choices: dict[str, str | int] = {
            "Die": self.choose(rng),
            "Number of dice": rng.randint(min(2, most), most),
        }
        return await self.click(f"roll {choices['Die']} at once", "Roll all at once", choices)


def shown_status(page: Page) -> str:
    """The status code the page's message begins with, or why there is none."""
    if page.of("exception"):
        return "PageException"
    for alert in page.of("alert"):
        if match := STATUS.match(alert.body):
            return match[0]
        if alert.format == Alert.ERROR:
            return "PageError"
    return "NoAnswer"
