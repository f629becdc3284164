"""Callers that leave before they have their answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import Request
from starlette.types import Receive
from starlette.websockets import WebSocket


@asynccontextmanager
async def departure(request: Request) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is done when the caller hangs up."""
    gone = asyncio.create_task(_gone(request.receive))
    try:
        yield gone
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _gone(receive: Receive) -> None:
    """Returns when the caller hangs up; its request has been read before."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def closed(socket: WebSocket) -> None:
    """Returns when the client closes; whatever else it says, text or bytes, is ignored."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
