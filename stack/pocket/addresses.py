"""Where every component listens: the ports of the full stack, on loopback, moved alike by one offset.

Imports nothing, so that the command `workshop` can have it without the rest.
"""

from __future__ import annotations

LOOPBACK = "127.0.0.1"
LOCAL_NAMES = frozenset({"localhost", LOOPBACK, "::1"})  # a host by one of these is this machine
FROM_CONTAINERS = "host.docker.internal"  # a container's name for this machine

PORTS = {
    "grafana": 3000,
    "loki": 3100,
    "tempo": 3200,
    "pyroscope": 4040,
    "otlp-grpc": 4317,
    "otlp-http": 4318,
    "prometheus": 9090,
    "alloy": 12345,
}
HIGHEST_PORT = 65535
MAX_OFFSET = HIGHEST_PORT - 15432  # the highest of all that moves: the stages' PostgreSQL


def url(component: str, offset: int = 0) -> str:
    """`http://127.0.0.1:…`, without a slash at the end."""
    return f"http://{LOOPBACK}:{PORTS[component] + offset}"
