"""A call, from its first byte to its last, as one client span."""

from contextlib import closing
from time import monotonic

import httpx
from opentelemetry import trace


class WholeAnswer(httpx.BaseTransport):
    """Reads the whole answer in some `seconds`, or raises ReadTimeout, while the call's span is still open.

    httpx counts from read to read, and its instrumentation ends the span with the headers. Without this, an answer
    that drips holds the page forever, and one that breaks off is a green span. Nobody can end a thread that
    waits, so the clock is looked at whenever something has come.
    """

    def __init__(self, peer: str, seconds: float, inner: httpx.BaseTransport) -> None:
        self.peer, self.seconds, self.inner = peer, seconds, inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        trace.get_current_span().set_attribute("peer.service", self.peer)  # for calls that never arrive
        ends, chunks = monotonic() + self.seconds, []
        with closing(self.inner.handle_request(request)) as response:
            assert isinstance(response.stream, httpx.SyncByteStream)
            for chunk in response.stream:
                if monotonic() > ends:
                    raise httpx.ReadTimeout(f"no whole answer in {self.seconds:g} s", request=request)
                chunks.append(chunk)
        content, extensions = b"".join(chunks), response.extensions
        return httpx.Response(
            response.status_code, headers=response.headers, content=content, extensions=extensions
        )

    def close(self) -> None:
        self.inner.close()
