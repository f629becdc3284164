"""Who calls whom (Tempo: modules/generator/processor/servicegraphs).

An edge is a client span and the server span whose parent it is. Spans wait for their other half; what does not
find it in time is a virtual node: `user` in front of a root server span, the peer behind a client span.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pocket.addresses import LOCAL_NAMES
from pocket.derive.registry import Counter, Histogram
from pocket.rows import Span

WAIT_MS, MAX_WAITING = 10_000, 10_000  # Tempo's `wait` and `max_items`
# As in stack/tempo/tempo.yaml.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_SERVER, _CLIENT, _PRODUCER, _CONSUMER = 2, 3, 4, 5
_ERROR = 2
_LABELS = ("client", "server", "connection_type")
_DATABASE = ("db.namespace", "db.name", "db.system", "db.system.name")
_PEER = ("peer.service", "db.name", "db.system", "db.system.name")


@dataclass(slots=True)
class Edge:
    trace_id: str
    root: bool
    expires_ms: int
    client: str = ""
    server: str = ""
    client_seconds: float = 0.0
    server_seconds: float = 0.0
    failed: bool = False
    connection: str = ""
    peer: str = ""


class ServiceGraph:
    """`peers` gives a database back the name that it has in the compose file: every address here is loopback."""

    def __init__(self, peers: Mapping[int, str] | None = None) -> None:
        self._peers = peers or {}
        name = "traces_service_graph_request"
        self.total = Counter(f"{name}_total", _LABELS)
        self.failed = Counter(f"{name}_failed_total", _LABELS)
        self.server_seconds = Histogram(f"{name}_server_seconds", _LABELS, BUCKETS)
        self.client_seconds = Histogram(f"{name}_client_seconds", _LABELS, BUCKETS)
        self._waiting: dict[tuple[str, str], Edge] = {}  # in the order of expiry
        self.dropped = 0

    def add(self, span: Span, now_ms: int) -> None:
        """Joins a span with its other half, or has it wait. `now_ms` is Unix time."""
        if span.kind in (_CLIENT, _PRODUCER):
            self._join((span.trace_id, span.span_id), span, now_ms)
        elif span.kind in (_SERVER, _CONSUMER):
            self._join((span.trace_id, span.parent_span_id), span, now_ms)

    def expire(self, now_ms: int) -> None:
        """What has waited for too long becomes a virtual node, or is forgotten."""
        while self._waiting:
            key = next(iter(self._waiting))
            if self._waiting[key].expires_ms > now_ms:
                return
            self._expired(self._waiting.pop(key), now_ms)

    def _join(self, key: tuple[str, str], span: Span, now_ms: int) -> None:
        if not span.service_name:
            return
        edge = self._waiting.get(key)
        known = edge is not None
        if edge is None:
            edge = Edge(span.trace_id, not key[1], now_ms + WAIT_MS)
        _update(edge, span, self._peers)
        if edge.client and edge.server:
            self._waiting.pop(key, None)
            self._complete(edge, now_ms)
        elif not known and len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
        elif not known:
            self._waiting[key] = edge

    def _complete(self, edge: Edge, now_ms: int) -> None:
        values = (edge.client, edge.server, edge.connection)
        self.total.add(values, now_ms)
        if edge.failed:
            self.failed.add(values, now_ms)
        self.server_seconds.observe(values, edge.server_seconds, edge.trace_id, now_ms)
        self.client_seconds.observe(values, edge.client_seconds, edge.trace_id, now_ms)

    def _expired(self, edge: Edge, now_ms: int) -> None:
        edge.connection = "virtual_node"
        if not edge.client and edge.root:
            edge.client = edge.peer or "user"
        elif edge.client and not edge.server and edge.peer:
            edge.server = edge.peer
        else:
            return
        self._complete(edge, now_ms)


def _update(edge: Edge, span: Span, peers: Mapping[int, str]) -> None:
    seconds = span.duration_ns / 1e9
    edge.connection = "messaging_system" if span.kind in (_PRODUCER, _CONSUMER) else ""
    edge.failed = edge.failed or span.status == _ERROR
    edge.peer = _first(_PEER, span.attributes) or edge.peer
    if span.kind in (_CLIENT, _PRODUCER):
        edge.client, edge.client_seconds = span.service_name, seconds
        if span.kind == _CLIENT and _first(_DATABASE, span.resource, span.attributes):
            edge.connection, edge.server_seconds = "database", seconds
            edge.server = _database(span, peers)
    else:
        edge.server, edge.server_seconds = span.service_name, seconds


def _database(span: Span, peers: Mapping[int, str]) -> str:
    """A database's name in the graph: its host if the span tells it, else the database's own name."""
    both = (span.resource, span.attributes)
    host = _first(("peer.service", "server.address"), *both)
    if host in LOCAL_NAMES and (port := _first(("server.port",), *both)).isdecimal():
        return peers.get(int(port), host)
    if not host and (host := _first(("network.peer.address",), *both)):
        port = _first(("network.peer.port",), *both)
        host = f"{host}:{port}" if port else host
    return host or _first(_DATABASE, *both)


def _first(names: tuple[str, ...], *attributes: Mapping[str, Any]) -> str:
    """The first of `names` that is set, as text; "" if none is."""
    for name in names:
        for each in attributes:
            if each.get(name) is not None:
                return str(each[name])
    return ""
