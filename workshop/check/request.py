"""The check's own traced requests: ones that nobody else has made, so that nothing old can stand in for them."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from urllib.parse import urlencode

from websockets.exceptions import WebSocketException

from traffic_gen.streamlit_page import Session
from traffic_gen.streamlit_user import shown_status
from workshop.check.apis import Apis
from workshop.check.outcome import NotYetError

ROLLER_PORT, FRONTEND_PORT = 8001, 8501
DIE = "fair"  # never fails


class FreshTrace(ABC):
    """Made at most once, when first needed; `trace_id` is in its traceparent (W3C Trace Context, sampled).

    `needs` are the compose services it goes through.
    """

    def __init__(self, apis: Apis, needs: tuple[str, ...]) -> None:
        self.apis, self.needs = apis, needs
        self.trace_id = secrets.token_hex(16)
        self._made = False
        self._lock = asyncio.Lock()

    async def made(self) -> str:
        """The trace id, once the answer was 200."""
        async with self._lock:
            if not self._made:
                await self._make(f"00-{self.trace_id}-{secrets.token_hex(8)}-01")
                self._made = True
        return self.trace_id

    @abstractmethod
    async def _make(self, traceparent: str) -> None:
        """NotYetError unless the answer is 200."""


class TracedRequest(FreshTrace):
    """A GET at the roller."""

    def __init__(self, path: str, apis: Apis, needs: tuple[str, ...]) -> None:
        super().__init__(apis, needs)
        self.path = path

    async def _make(self, traceparent: str) -> None:
        url = self.apis.service_url(ROLLER_PORT) + self.path
        response = await self.apis.client.get(url, headers={"traceparent": traceparent})
        if response.status_code != 200:
            raise NotYetError(f"GET {self.path} answered {response.status_code}: {response.text[:120]}")


class TracedClick(FreshTrace):
    """A click on the frontend's Roll, over the page's own WebSocket; the traceparent is in the page's query."""

    async def _make(self, traceparent: str) -> None:
        try:
            async with Session(self.apis.service_url(FRONTEND_PORT)) as session:
                session.choose("Die", DIE)
                status = shown_status(await session.click("Roll", urlencode({"traceparent": traceparent})))
        except (OSError, TimeoutError, LookupError, WebSocketException) as error:
            raise NotYetError(f"the page cannot be clicked ({type(error).__name__}: {error})") from error
        if status != "200":
            raise NotYetError(f"the page shows {status} after a click on Roll")
