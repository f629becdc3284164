"""One session of a Streamlit app over its own WebSocket protocol: what the browser does, without a browser.

The protocol is Streamlit's protobufs (streamlit.proto): the client sends a BackMsg with `rerun_script`, which
holds the state of all widgets; the server answers with ForwardMsg deltas up to `script_finished`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

TIMEOUT_SECONDS = 30.0


@dataclass
class Page:
    """The elements of the last run, by kind and label; a run that raised leaves an `exception` element."""

    elements: list[tuple[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> list[Any]:
        return [element for found, element in self.elements if found == kind]

    def widget(self, kind: str, label: str) -> Any:
        """The widget of that kind and label; LookupError when the page has none."""
        for element in self.of(kind):
            if element.label == label:
                return element
        raise LookupError(f"the page has no {kind} {label!r}")


class Session:
    """A connection and the state that belongs to it: widget values, the page's hash, cached messages."""

    def __init__(self, base_url: str) -> None:
        self.url = base_url.replace("http", "ws", 1) + "/_stcore/stream"
        self.values: dict[str, Any] = {}  # widget id → value
        self.cache: dict[str, ForwardMsg] = {}
        self.page_hash = ""
        self.page = Page()
        self.socket: ClientConnection

    async def __aenter__(self) -> Self:
        self.socket = await connect(self.url, subprotocols=["streamlit"], max_size=None, compression=None)  # type: ignore[list-item]
        await self.run()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.socket.close()

    def choose(self, label: str, option: str) -> None:
        """Sets a selectbox for all runs to come."""
        self.values[self.page.widget("selectbox", label).id] = option

    def enter(self, label: str, number: float) -> None:
        """Sets a number input or slider for all runs to come."""
        self.values[self.page.widget("number_input", label).id] = number

    async def click(self, label: str, query: str = "") -> Page:
        return await self.run(self.page.widget("button", label).id, query)

    async def run(self, trigger: str | None = None, query: str = "") -> Page:
        """Sends one rerun and reads until the script has finished. TimeoutError after TIMEOUT_SECONDS."""
        await self.socket.send(self._rerun(trigger, query).SerializeToString())
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await self._read()

    def _rerun(self, trigger: str | None, query: str) -> BackMsg:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.page_script_hash, rerun.query_string = self.page_hash, query
        rerun.context_info.timezone, rerun.context_info.locale = "UTC", "en"
        rerun.cached_message_hashes.extend(self.cache)
        for widget_id, value in self.values.items():
            widget = rerun.widget_states.widgets.add(id=widget_id)
            if isinstance(value, str):
                widget.string_value = value
            else:
                widget.double_value = value
        if trigger:
            rerun.widget_states.widgets.add(id=trigger, trigger_value=True)
        return message

    async def _read(self) -> Page:
        page, started = Page(), False
        while True:
            message = self._cached(ForwardMsg.FromString(await self.socket.recv(decode=False)))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.page_hash, page, started = message.new_session.page_script_hash, Page(), True
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                name = element.WhichOneof("type") or ""
                page.elements.append((name, getattr(element, name, None)))
            elif kind == "script_finished" and started:
                self.page = page
                return page

    def _cached(self, message: ForwardMsg) -> ForwardMsg:
        """Messages that repeat come as the hash of the first one."""
        if message.WhichOneof("type") == "ref_hash":
            return self.cache[message.ref_hash]
        if message.metadata.cacheable:
            self.cache[message.hash] = message
        return message
