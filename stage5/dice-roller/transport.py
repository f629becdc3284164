"""A call, from its first byte to its last, as one client span."""

import asyncio
from contextlib import aclosing

import httpx
from opentelemetry import trace


class WholeAnswer(httpx.AsyncBaseTransport):
    """Reads the whole answer in `seconds`, or raises ReadTimeout, while the call's span is still open.

    httpx counts from read to read, and its instrumentation ends the span with the headers. So without this, an
    answer that drips never times out, and one that breaks off is a green span; and the instrumentation takes a
    time-out from outside, which cancels the call, for no error at all.
    """

    def __init__(self, peer: str, seconds: float, inner: httpx.AsyncBaseTransport) -> None:
        self.peer, self.seconds, self.inner = peer, seconds, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace.get_current_span().set_attribute("peer.service", self.peer)  # for calls that never arrive
        try:
            async with asyncio.timeout(self.seconds):
                async with aclosing(await self.inner.handle_async_request(request)) as response:
                    await response.aread()
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer in {self.seconds:g} s", request=request) from error
        except asyncio.CancelledError:  # the caller has gone: not the call's fault
            trace.get_current_span().add_event("cancelled")
            raise
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()
