"""The check's own traced request: one that nobody else has made, so that nothing old can stand in for it."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from workshop.check.apis import Apis
from workshop.check.manifest import Stage
from workshop.check.outcome import NotYetError

ROLLER_PORT = 8001


@dataclass
class TracedRequest:
    """Made at most once, when first needed; `trace_id` is in its traceparent (W3C Trace Context, sampled)."""

    stage: Stage
    apis: Apis
    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    _made: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def made(self) -> str:
        """The trace id, once the roller has answered 200."""
        async with self._lock:
            if not self._made:
                await self._make()
                self._made = True
        return self.trace_id

    async def _make(self) -> None:
        url = self.apis.service_url(ROLLER_PORT) + self.stage.request
        traceparent = f"00-{self.trace_id}-{secrets.token_hex(8)}-01"
        response = await self.apis.client.get(url, headers={"traceparent": traceparent})
        if response.status_code != 200:
            raise NotYetError(f"GET {self.stage.request} answered {response.status_code}: {response.text[:120]}")
