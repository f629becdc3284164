"""A WebSocket that lives elsewhere, behind the same path: Loki's live tail through the data source proxy."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

OPEN_SECONDS = 5.0
MAX_MESSAGE = 16 << 20  # a message of Loki's has up to 100 lines to begin with
BAD_GATEWAY = 1014  # the code IANA's registry has for it
POLICY_VIOLATION = 1008


async def forward(socket: WebSocket, url: str) -> None:
    """What `url` (ws or wss) says, until either side closes; refused before the handshake if `url` refuses."""
    try:
        upstream = await connect(url, open_timeout=OPEN_SECONDS, max_size=MAX_MESSAGE, proxy=None)
    except InvalidHandshake:
        await socket.close(POLICY_VIOLATION)
        return
    except (OSError, TimeoutError):
        await socket.close(BAD_GATEWAY)
        return
    async with upstream:
        await socket.accept()
        told = asyncio.create_task(_tell(upstream, socket))
        gone = asyncio.create_task(_listen(socket))
        _, pending = await asyncio.wait({told, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(told, gone, return_exceptions=True)
    with contextlib.suppress(RuntimeError):  # it closed first
        await socket.close()


async def _tell(upstream: ClientConnection, socket: WebSocket) -> None:
    with contextlib.suppress(ConnectionClosed, WebSocketDisconnect, RuntimeError):
        async for message in upstream:
            await socket.send_text(message if isinstance(message, str) else message.decode())


async def _listen(socket: WebSocket) -> None:
    """Ends when the browser goes; a tail takes nothing in."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
